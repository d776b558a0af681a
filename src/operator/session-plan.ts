import type { ContainerCreateOptions } from 'dockerode';
import { NO_NAME_SERVER, type Topology } from '../../constructs/engines/docker/index.js';
import type { Endpoint } from '../../constructs/model/index.js';
import { TRUST_VARIABLE } from '../../constructs/services/bundled-app.js';
import type { Access } from './session-access.js';

/** Labels of a session's container. */
export const SESSION_LABELS = {
  environment: 'ragdock.environment',
  /** What the session is for. */
  session: 'ragdock.session',
  /** Which one it is. */
  run: 'ragdock.session.run',
  /** Age in seconds from which on nobody can be waiting for it. */
  deadline: 'ragdock.session.deadline',
} as const;

/** An endpoint that a session has to reach, and the variables that tell it how. */
export interface SessionConnection {
  readonly endpoint: Endpoint;
  /** Variable for the URL. @default - none */
  readonly url?: string;
  /** Variable for the path of the credential's file, without version. @default - none */
  readonly credential?: string;
}

export interface SessionNeeds {
  readonly purpose: 'ingest' | 'documents' | 'ask' | 'eval' | 'smoke' | 'mask';
  /** Command of the apps' image with its arguments. */
  readonly command: readonly string[];
  readonly connections: readonly SessionConnection[];
  /** Longest life in seconds. */
  readonly deadlineSeconds: number;
  /** In MiB, without swap. */
  readonly memoryMiB: number;
}

export interface SessionIdentity {
  /** Id of the image of the bundled apps. */
  readonly image: string;
  /** Names this session: lower-case letters, digits and -. */
  readonly run: string;
}

/** What to ask of the engine. Nothing in it is a secret. */
export interface SessionPlan {
  readonly container: ContainerCreateOptions & { readonly name: string };
  /** Networks to join after the container is made and before it starts; the container names the first one itself. */
  readonly furtherNetworks: readonly string[];
}

/** The container of a session, hardened like the services are. */
export function planSession(
  topology: Topology,
  needs: SessionNeeds,
  access: Access,
  { image, run }: SessionIdentity,
): SessionPlan {
  const { user } = access;
  const [first, ...further] = access.networks.map((network) => network.name);
  const bytes = needs.memoryMiB * 1024 * 1024;
  return {
    furtherNetworks: further,
    container: {
      name: `${topology.environment}-operator-${needs.purpose}-${run}`,
      Image: image,
      Cmd: [...needs.command],
      Env: environmentOf(needs, access),
      User: `${user.uid}:${user.gid}`,
      OpenStdin: true,
      // The session sees the end of its input when whoever started it is gone.
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Labels: {
        [SESSION_LABELS.environment]: topology.environment,
        [SESSION_LABELS.session]: needs.purpose,
        [SESSION_LABELS.run]: run,
        [SESSION_LABELS.deadline]: String(needs.deadlineSeconds),
      },
      HostConfig: {
        AutoRemove: true,
        Init: true,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Memory: bytes,
        // Equal to the limit: no swap.
        MemorySwap: bytes,
        PidsLimit: 64,
        Ulimits: [
          { Name: 'core', Soft: 0, Hard: 0 },
          { Name: 'nofile', Soft: 4096, Hard: 4096 },
        ],
        Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=16m,mode=1777' },
        // What passes through belongs to the operator's terminal, not to a file of the host.
        LogConfig: { Type: 'none', Config: {} },
        NetworkMode: first ?? 'none',
        ...(access.leadsOut || first === undefined ? {} : { Dns: [NO_NAME_SERVER] }),
        ExtraHosts: [...access.hostEntries],
        Mounts: access.volumes.map(({ name, path }) => ({
          Type: 'volume',
          Source: name,
          Target: path,
          ReadOnly: true,
          VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } },
        })),
      },
      ...(first === undefined ? {} : { NetworkingConfig: { EndpointsConfig: { [first]: {} } } }),
    },
  };
}

function environmentOf(needs: SessionNeeds, access: Access): string[] {
  const variables = needs.connections.flatMap(({ endpoint, ...variable }) => [
    ...(variable.url === undefined ? [] : [`${variable.url}=${access.url(endpoint)}`]),
    ...(variable.credential === undefined || !endpoint.credential
      ? []
      : [`${variable.credential}=${access.credentialFile(endpoint.credential)}`]),
  ]);
  const trust = access.trustFile === undefined ? [] : [`${TRUST_VARIABLE}=${access.trustFile}`];
  return ['NODE_ENV=production', ...variables, ...trust].sort();
}
