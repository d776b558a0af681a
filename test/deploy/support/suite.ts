import { inject } from 'vitest';
import { devIn } from './dev.js';

/** The environment of the deploy suite, in the project copy that its setup has made. */
export const dev = devIn(inject('project'), inject('modelFile'));
