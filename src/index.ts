/** ragdock as a library: read an environment, build its stack, or use single constructs in a CDKTF app of your own. */
export type { Environment } from '../config/environment.js';
export { loadEnvironment, loadEnvironments } from '../config/load.js';
export type { EnginePromises, Lock, Promises } from '../config/lock-schema.js';
export { EnvironmentSchema, type Settings } from '../config/schema.js';
export * from '../constructs/engines/docker/index.js';
export { IMAGES } from '../constructs/images.js';
export * from '../constructs/model/index.js';
export * from '../constructs/services/index.js';
export { DockerStack, type DockerStackProps } from '../stacks/docker-stack.js';
export { promisesOf } from '../stacks/promises.js';
export { RagServices } from '../stacks/rag-services.js';
export { RagStack, type RagStackProps } from '../stacks/rag-stack.js';
export { type Bundle, readBundle } from './apps/bundle.js';
export { FAILURES, type FailureCode } from './errors/catalogue.js';
export { type Problem, RagdockError } from './errors/problem.js';
export { type SynthOptions, synthesise } from './synth.js';
