import { loadEnvironment } from '../../../config/load.js';
import type { Topology } from '../../../constructs/engines/docker/index.js';
import { wholeTopology } from '../../../src/operator/stack.js';
import type { Deployment } from './deployment.js';

/** The model of a deployment as its project's files describe it now. */
export const topologyOf = ({ name, project }: Deployment): Topology =>
  wholeTopology(loadEnvironment(name, { cwd: project.folder }));
