import { inject } from 'vitest';
import { sshHost } from '../deploy/support/list/ssh-host.js';

await sshHost(inject('modelFile'));
