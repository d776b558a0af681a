export type { ClientAddress, ConfigFile, FileContext } from './config-file.js';
export { Endpoint, type EndpointProps, type Scheme } from './endpoint.js';
export { modelError } from './errors.js';
export { exceptionsOf, type HardeningException } from './exceptions.js';
export {
  ENGINE_HOST,
  type ExternalEndpointProps,
  ExternalServer,
  type ExternalServerProps,
} from './external-server.js';
export type { Gpus } from './gpus.js';
export { HARDENED, type Hardening, type Relaxation } from './hardening.js';
export { Job } from './job.js';
export { leadsOut, type NetworkPlan, pairId, planNetworks, workloadsOf } from './network.js';
export { SecretRef } from './secret.js';
export { type HealthCheck, type PublishedPort, type RestartPolicy, Service, type ServiceProps } from './service.js';
export { hostPort, login, ownAddress, secretPath, secretsOf, text, url, type Value } from './value.js';
export type { DataVolume, HostMount, TmpfsMount, User } from './volume.js';
export { type ConnectOptions, folderOf, type ImageSource, Workload, type WorkloadProps } from './workload.js';
