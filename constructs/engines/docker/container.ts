import type {
  ContainerConfig,
  ContainerMounts,
  ContainerNetworksAdvanced,
} from '@cdktf/provider-docker/lib/container/index.js';
import {
  type HealthCheck,
  leadsOut,
  type PublishedPort,
  Service,
  type TmpfsMount,
  text,
  type Value,
  type Workload,
} from '../../model/index.js';
import { goDuration } from './duration.js';
import { tfEscape } from './escape.js';
import { gpuFields, gpuVariables } from './gpus.js';
import type { Topology } from './topology.js';

/** Fields that the engine alone decides, because they name other resources. */
export interface Placement {
  readonly image: string;
  readonly networks: ContainerConfig['networksAdvanced'];
  readonly volumes: readonly ContainerMounts[];
  readonly dependsOn: ContainerConfig['dependsOn'];
}

/**
 * One container, with every field set that the provider or the daemon would otherwise fill in on its own: what is left
 * out comes back as a difference in the next plan, or can never be removed again.
 */
export function containerConfig(workload: Workload, topology: Topology, placement: Placement): ContainerConfig {
  const literal = (value: Value): string => tfEscape(topology.render(value, workload));
  const { hardening } = workload;
  const stopGraceSeconds = Service.isService(workload) ? workload.stopGraceSeconds : 10;
  return {
    name: literal(topology.containerName(workload)),
    image: placement.image,
    ...(workload.entrypoint ? { entrypoint: workload.entrypoint.map(literal) } : {}),
    ...(workload.command ? { command: workload.command.map(literal) } : {}),
    env: [...workload.environment, ...gpuVariables(workload)]
      .map(([name, value]) => literal(text`${name}=${value}`))
      .sort(),
    user: `${workload.user.uid}:${workload.user.gid}`,
    readOnly: hardening.readOnlyRoot,
    capabilities: {
      drop: ['ALL'],
      ...(hardening.capabilities.length > 0 ? { add: hardening.capabilities.map((name) => `CAP_${name}`).sort() } : {}),
    },
    securityOpts: [
      ...(hardening.noNewPrivileges ? ['no-new-privileges:true'] : []),
      // The daemon adds this one by itself to whoever shares such a namespace of the host, and the plan would show it.
      ...(hardening.hostPid || hardening.hostIpc ? ['label=disable'] : []),
    ],
    // Reaps what a service leaves behind, and passes signals on to programs that are no good as process 1.
    init: true,
    mounts: [...placement.volumes, ...workload.hostMounts.map(hostMount), ...workload.tmpfs.map(tmpfsMount)],
    host: topology.hostEntries(workload).map(({ host, ip }) => ({ host: tfEscape(host), ip })),
    ...(workload.shmSizeMiB === undefined ? {} : { shmSize: workload.shmSizeMiB }),
    ...(hardening.hostNetwork ? { networkMode: 'host' } : isolation(placement.networks)),
    ...(hardening.hostPid ? { pidMode: 'host' } : {}),
    ...(hardening.hostIpc ? { ipcMode: 'host' } : {}),
    ...gpuFields(workload),
    ...(Service.isService(workload) ? serviceFields(workload, literal) : JOB_FIELDS),
    dependsOn: placement.dependsOn ?? [],
    ulimit: [
      // A core file holds what the process knew, secrets too; the engine's own limit may be none.
      { name: 'core', soft: 0, hard: 0 },
      { name: 'nofile', soft: workload.openFiles, hard: workload.openFiles },
    ],
    ...(leadsOut(workload) || !joinsSome(placement.networks) ? {} : { dns: [NO_NAME_SERVER] }),
    memory: workload.memoryMiB,
    // Equal to the limit: no swap. Left out, the daemon doubles the memory and the plan never gets empty.
    memorySwap: workload.memoryMiB,
    // Without these the provider kills at once when it replaces a container.
    destroyGraceSeconds: stopGraceSeconds,
    stopTimeout: stopGraceSeconds,
    logDriver: 'local',
    logOpts: { 'max-size': '10m', 'max-file': '3' },
    labels: [
      { label: 'ragdock.environment', value: topology.environment },
      { label: 'ragdock.service', value: workload.node.id },
    ],
  };
}

/**
 * Whom the engine's resolver asks for names that are none of the stack's. With the host's own servers it would ask from
 * the host where those listen on loopback, and so carry names out for a container that has no way out.
 */
export const NO_NAME_SERVER = '127.0.0.1';

const JOB_FIELDS = { restart: 'no', mustRun: false, attach: true, logs: true } as const;

function serviceFields(service: Service, literal: (value: Value) => string) {
  return {
    restart: service.restart,
    mustRun: true,
    ...(service.healthCheck.command.length > 0 ? { healthcheck: healthcheck(service.healthCheck, literal) } : {}),
    ...(service.stopSignal === undefined ? {} : { stopSignal: service.stopSignal }),
    ...(service.published.length > 0 ? { ports: [...service.published].sort(byInternalPort).map(port) } : {}),
    ...(service.deployWaitSeconds === undefined ? {} : { wait: true, waitTimeout: service.deployWaitSeconds }),
  };
}

function healthcheck(check: HealthCheck, literal: (value: Value) => string) {
  return {
    test: ['CMD', ...check.command.map(literal)],
    interval: goDuration(check.intervalSeconds ?? 10),
    timeout: goDuration(check.timeoutSeconds ?? 5),
    retries: check.retries ?? 3,
    startPeriod: goDuration(check.startPeriodSeconds ?? 30),
  };
}

/** The provider compares published ports in the order of the container's ports. */
const byInternalPort = (a: PublishedPort, b: PublishedPort): number => a.endpoint.port - b.endpoint.port;

function port(published: PublishedPort) {
  return { internal: published.endpoint.port, external: published.port, ip: published.address, protocol: 'tcp' };
}

/** Without a network of its own a container would land on the engine's default bridge, which is open both ways. */
function isolation(networks: Placement['networks']): Pick<ContainerConfig, 'networksAdvanced' | 'networkMode'> {
  return joinsSome(networks) ? { networksAdvanced: networks } : { networkMode: 'none' };
}

const joinsSome = (networks: Placement['networks']): networks is ContainerNetworksAdvanced[] =>
  Array.isArray(networks) && networks.length > 0;

/** `mounts` and not `tmpfs`: only the former is changed when it changes. */
function tmpfsMount(mount: TmpfsMount): ContainerMounts {
  return {
    type: 'tmpfs',
    target: tfEscape(mount.path),
    tmpfsOptions: { sizeBytes: mount.sizeMiB * 1024 * 1024, mode: Number.parseInt(mount.mode ?? '1777', 8) },
  };
}

function hostMount(mount: { readonly hostPath: string; readonly path: string }): ContainerMounts {
  return {
    type: 'bind',
    source: tfEscape(mount.hostPath),
    target: tfEscape(mount.path),
    readOnly: true,
    bindOptions: { propagation: 'rslave' },
  };
}
