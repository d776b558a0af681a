export { NO_NAME_SERVER } from './container.js';
export { type DockerEngineProps, lowerToDocker, PROVIDER_VERSION } from './engine.js';
export { type CarriedFile, type FilesVolume, filesVolumes } from './files.js';
export { type ContainerPatch, overrideContainer } from './override.js';
export { type DockerNetwork, SECRETS_FOLDER, Topology } from './topology.js';
