import type { Construct } from 'constructs';
import type { EnginePromises } from '../../../config/lock-schema.js';
import { RagdockError } from '../../../src/errors/problem.js';
import { loginOf } from '../../../src/rag/history/login.js';
import {
  type ClientAddress,
  type DataVolume,
  ENGINE_HOST,
  type Endpoint,
  ExternalServer,
  type FileContext,
  modelError,
  type NetworkPlan,
  pairId,
  planNetworks,
  type SecretRef,
  type Value,
  type Workload,
  workloadsOf,
} from '../../model/index.js';
import { gatewayOf } from './subnet.js';

/** Where every container finds the files of its secrets. */
export const SECRETS_FOLDER = '/run/secrets';

/** What a client of PostgreSQL has to check. */
const TLS_QUERY = '?sslmode=verify-full';

/** A network with the name and the addresses that it has on the engine. */
export interface DockerNetwork extends NetworkPlan {
  /** `<environment>-<id>`. */
  readonly name: string;
  /** In CIDR notation: `10.231.0.8/29`. */
  readonly subnet: string;
  /** The host's address in it, the first of the subnet. */
  readonly gateway: string;
}

/**
 * Names, networks and addresses of a stack on one Docker host: everything that follows from the model and the lock
 * file alone. The engine lowers with it; commands that reach into a running stack find their way with it.
 */
export class Topology {
  /** Sorted by id. */
  readonly workloads: readonly Workload[];
  /** Sorted by id. */
  readonly networks: readonly DockerNetwork[];

  /** @throws RagdockError LOCK_STALE for a network that has no subnet */
  constructor(
    scope: Construct,
    /** What names on the engine start with. */
    readonly environment: string,
    /** Subnets, versions of secrets and digests. */
    readonly lock: EnginePromises,
  ) {
    this.workloads = workloadsOf(scope);
    this.networks = planNetworks(scope).map((plan) => {
      const subnet = lock.networks[plan.id];
      if (subnet === undefined) {
        throw new RagdockError({
          code: 'LOCK_STALE',
          path: `networks.${plan.id}`,
          message: `the lock file promises no subnet for the network ${plan.id}`,
          remedy: `Run \`ragdock lock ${environment}\` and commit the change.`,
        });
      }
      return { ...plan, name: `${environment}-${plan.id}`, subnet, gateway: gatewayOf(subnet) };
    });
  }

  /** Name of a workload's container on the engine, which is its host name in networks. */
  containerName(workload: Workload): string {
    return workload.containerName ?? `${this.environment}-${workload.node.id}`;
  }

  /** Name of a data volume on the engine. */
  volumeName(volume: DataVolume): string {
    return volume.name ?? `${this.environment}-${volume.id}`;
  }

  /** Networks that a workload joins; one on the host's network joins none. */
  networksOf(workload: Workload): readonly DockerNetwork[] {
    if (workload.hardening.hostNetwork) return [];
    return this.networks.filter((network) => network.members.includes(workload));
  }

  /**
   * The network of a client and a server.
   *
   * @throws RagdockError MODEL_INVALID when they are not connected
   */
  pairNetwork(client: Workload, server: Workload | ExternalServer): DockerNetwork {
    const id = pairId(client, server);
    const network = this.networks.find((candidate) => candidate.id === id);
    if (!network)
      throw modelError(client, `there is no network to ${server.node.id}`, 'connect the two with connectTo');
    return network;
  }

  /** Networks on which `server` is reached, in the order of their ids. */
  networksTo(server: Workload | ExternalServer): readonly DockerNetwork[] {
    return this.networks.filter((network) => network.server === server);
  }

  /**
   * Version of a secret that is in force, from 1 on.
   *
   * @throws RagdockError LOCK_STALE for a secret that has none
   */
  secretVersion(secret: SecretRef): number {
    const promise = this.lock.secrets[secret.name];
    if (!promise) {
      throw new RagdockError({
        code: 'LOCK_STALE',
        path: `secrets.${secret.name}`,
        message: `the lock file does not know the secret ${secret.name}`,
        remedy: `Run \`ragdock lock ${this.environment}\` and commit the change.`,
      });
    }
    return promise.version;
  }

  /** The text of a value as `reader` has to see it. */
  render(value: Value, reader: Workload): string {
    if (typeof value === 'string') return value;
    switch (value.kind) {
      case 'text':
        return value.parts.map((part) => this.render(part, reader)).join('');
      case 'secret-path': {
        const path = `${SECRETS_FOLDER}/${value.secret.name}`;
        return value.versioned ? `${path}.v${this.secretVersion(value.secret)}` : path;
      }
      case 'host-port':
        return this.#hostPort(value.endpoint);
      case 'url':
        return this.urlOf(value.endpoint, value.path);
      case 'login':
        return this.#login(value.endpoint);
      case 'own-address':
        return this.#ownAddress(reader);
      default:
        return value satisfies never;
    }
  }

  /** The URL of an endpoint, with `path` behind it: every client has the same one. */
  urlOf(endpoint: Endpoint, path = ''): string {
    const { scheme, tls, userInUrl: user, basePath } = endpoint;
    const login = user === undefined ? '' : `${encodeURIComponent(user)}@`;
    // Clients of PostgreSQL are told so; those of HTTP by the scheme.
    const [protocol, query] = scheme === 'http' ? [tls ? 'https' : 'http', ''] : [scheme, tls ? TLS_QUERY : ''];
    return `${protocol}://${login}${this.#hostPort(endpoint)}${basePath}${path}${query}`;
  }

  /** What the configuration files of `service` may ask. */
  fileContext(service: Workload): FileContext {
    return {
      render: (value) => this.render(value, service),
      clients: () => this.clientsOf(service),
      publishedSubnet: () =>
        this.networks.find(({ kind, members }) => kind === 'published' && members.includes(service))?.subnet,
    };
  }

  /** Who was connected to a server, sorted by the client's id. */
  clientsOf(server: Workload): readonly ClientAddress[] {
    return this.workloads.flatMap((client) => {
      const endpoints = client.connections.filter((endpoint) => endpoint.owner === server);
      return endpoints.length === 0 ? [] : [{ client, endpoints, subnet: this.pairNetwork(client, server).subnet }];
    });
  }

  /**
   * Servers on the host's network, and servers outside the stack on the engine's own machine, have no name on the
   * engine's networks: their clients get one, for the network's gateway.
   */
  hostEntries(client: Workload): readonly { readonly host: string; readonly ip: string }[] {
    const entries = new Map<string, string>();
    for (const endpoint of client.connections) {
      const host = this.hostName(endpoint);
      // Any gateway is the engine's machine; a second address for one name would be tried in turn with the first.
      if (host !== undefined && !entries.has(host)) entries.set(host, this.pairNetwork(client, endpoint.owner).gateway);
    }
    return [...entries].map(([host, ip]) => ({ host, ip }));
  }

  /** The name that stands for the engine's machine in an endpoint's address; undefined when none does. */
  hostName({ owner, host }: Endpoint): string | undefined {
    if (ExternalServer.isExternalServer(owner)) return host === ENGINE_HOST ? host : undefined;
    return owner.hardening.hostNetwork ? this.containerName(owner) : undefined;
  }

  #login({ userInUrl = '', credential }: Endpoint): string {
    return credential ? loginOf(userInUrl, this.secretVersion(credential)) : userInUrl;
  }

  #hostPort({ owner, host, port }: Endpoint): string {
    const name = ExternalServer.isExternalServer(owner) ? host : this.containerName(owner);
    return `${name}:${port}`;
  }

  #ownAddress(reader: Workload): string {
    if (!reader.hardening.hostNetwork) return '0.0.0.0';
    const [network, another] = this.networksTo(reader);
    if (!network || another) {
      throw modelError(
        reader,
        `a service on the host's network listens for exactly one client, and has ${network ? 'several' : 'none'}`,
        'connect one client to it',
        'ENGINE_UNSUPPORTED',
      );
    }
    return network.gateway;
  }
}
