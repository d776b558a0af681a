import { Deployment } from '../../deploy/support/deployment.js';
import { DEV } from '../../deploy/support/dev.js';

/** `dev` on an engine that is not the test host's own. */
export const devOn = (socket: string, project: string, modelFile: string): Deployment =>
  new Deployment({ ...DEV, project, models: [{ file: modelFile }], socket });
