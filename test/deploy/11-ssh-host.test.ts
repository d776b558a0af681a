import { inject } from 'vitest';
import { sshHost } from './support/list/ssh-host.js';

await sshHost(inject('modelFile'));
