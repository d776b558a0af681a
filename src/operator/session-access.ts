import {
  type DockerNetwork,
  filesVolumes,
  SECRETS_FOLDER,
  type Topology,
} from '../../constructs/engines/docker/index.js';
import {
  type Endpoint,
  ExternalServer,
  folderOf,
  Job,
  modelError,
  type SecretRef,
  type User,
  Workload,
} from '../../constructs/model/index.js';
import { APPS_USER, TRUST_VARIABLE } from '../../constructs/services/bundled-app.js';
import { type Inventory, notDeployed } from './stack.js';

/** A volume of files that a session mounts for reading. */
interface SessionVolume {
  readonly name: string;
  readonly path: string;
}

/**
 * How a session reaches what it needs: one network for each endpoint, as few volumes of secrets as hold their
 * credentials, and the certificates of private authorities.
 */
export class SessionAccess {
  readonly networks: readonly DockerNetwork[];
  readonly user: User;
  readonly #topology: Topology;
  readonly #routes: ReadonlyMap<Endpoint, DockerNetwork>;
  readonly #holders: ReadonlyMap<string, Workload>;
  readonly #trusting: Workload | undefined;

  /**
   * @throws RagdockError STACK_NOT_DEPLOYED when the engine lacks the networks or volumes; MODEL_INVALID when the stack
   *   has no network to an endpoint, or no user that can read all of the credentials
   */
  constructor(topology: Topology, endpoints: readonly Endpoint[], inventory: Pick<Inventory, 'networks' | 'volumes'>) {
    this.#topology = topology;
    this.#routes = routesTo(topology, endpoints, inventory);
    this.networks = [...new Set(this.#routes.values())];
    const { user, holders } = holdersOf(topology, endpoints, inventory);
    this.user = user;
    this.#holders = holders;
    this.#trusting = trustingClient(topology, endpoints);
  }

  url(endpoint: Endpoint): string {
    return this.#topology.urlOf(endpoint);
  }

  /** Path of a credential's file inside the session, without version. */
  credentialFile(credential: SecretRef): string {
    const holder = this.#holders.get(credential.name);
    if (!holder) throw new Error(`the session was not given the secret ${credential.name}`);
    return `${folderFor(holder)}/${credential.name}`;
  }

  /** Names of the secrets in its volumes: those of whoever holds a credential, the credential's own among them. */
  get given(): ReadonlySet<string> {
    return new Set([...this.#holders.values()].flatMap(({ secrets }) => secrets.map(({ name }) => name)));
  }

  get volumes(): readonly SessionVolume[] {
    const secrets = [...new Set(this.#holders.values())].map((holder) => ({
      name: secretsVolume(this.#topology, holder),
      path: folderFor(holder),
    }));
    return this.#trusting ? [...secrets, trustVolume(this.#topology, this.#trusting)] : secrets;
  }

  /** Path of the certificates of private authorities; undefined when nothing that is reached has one. */
  get trustFile(): string | undefined {
    return this.#trusting?.trustFiles.get(TRUST_VARIABLE);
  }

  /** Whether anything that it reaches is outside the stack, where names of others may have to be looked up. */
  get leadsOut(): boolean {
    return [...this.#routes.keys()].some(({ owner }) => ExternalServer.isExternalServer(owner));
  }

  /** A server on the host has no name on the engine's networks: it is the gateway of the one to its client. */
  get hostEntries(): readonly string[] {
    const entries = new Map<string, string>();
    for (const [endpoint, { gateway }] of this.#routes) {
      const host = this.#topology.hostName(endpoint);
      if (host !== undefined && !entries.has(host)) entries.set(host, gateway);
    }
    return [...entries].map(([host, gateway]) => `${host}:${gateway}`);
  }
}

/** What a session is given: where it gets to, and what it reads. */
export type Access = Pick<
  SessionAccess,
  'networks' | 'leadsOut' | 'user' | 'volumes' | 'trustFile' | 'hostEntries' | 'url' | 'credentialFile'
>;

/** The values of some secrets, and no way to anywhere. */
export interface SecretsAccess {
  /** Names of the secrets. */
  readonly secrets: readonly string[];
  readonly access: Access;
}

/**
 * How sessions read the values of these secrets: one session for each user that has to read files, few of them. What
 * no volume of the engine holds is in none of them.
 */
export function secretsAccess(
  topology: Topology,
  names: Iterable<string>,
  { volumes }: Pick<Inventory, 'volumes'>,
): readonly SecretsAccess[] {
  const missing = new Set(names);
  const present = topology.workloads.filter(
    (workload) => workload.secrets.length > 0 && volumes.has(secretsVolume(topology, workload)),
  );
  const users = new Map([APPS_USER, ...present.map(({ user }) => user)].map((user) => [user.uid, user]));
  const found: SecretsAccess[] = [];
  while (missing.size > 0) {
    const choices = [...users.values()].map((user) => {
      const keepers = present.filter((workload) => workload.user.uid === user.uid);
      const held = new Set(keepers.flatMap(({ secrets }) => secrets.map(({ name }) => name)));
      return { user, keepers, secrets: [...missing].filter((name) => held.has(name)) };
    });
    // The first of those that hold most: the bundled apps' own user, where it does.
    const [best] = choices.sort((a, b) => b.secrets.length - a.secrets.length);
    if (!best || best.secrets.length === 0) break;
    for (const name of best.secrets) missing.delete(name);
    found.push({ secrets: best.secrets, access: volumesAccess(topology, best.user, best.keepers, best.secrets) });
  }
  return found;
}

/** As few volumes as hold these secrets. */
function volumesAccess(
  topology: Topology,
  user: User,
  keepers: readonly Workload[],
  secrets: readonly string[],
): Access {
  const missing = new Set(secrets);
  const chosen: Workload[] = [];
  while (missing.size > 0) {
    const worth = ({ secrets: held }: Workload) => held.filter(({ name }) => missing.has(name)).length;
    const [best] = [...keepers].sort((a, b) => worth(b) - worth(a));
    if (!best || worth(best) === 0) throw new Error(`nobody holds ${[...missing].join(', ')}`);
    for (const { name } of best.secrets) missing.delete(name);
    chosen.push(best);
  }
  const refuse = () => {
    throw new Error('a session that masks reaches no service');
  };
  return {
    networks: [],
    leadsOut: false,
    hostEntries: [],
    trustFile: undefined,
    user,
    volumes: chosen.map((holder) => ({ name: secretsVolume(topology, holder), path: folderFor(holder) })),
    url: refuse,
    credentialFile: refuse,
  };
}

/** Whether any network of the stack leads to an endpoint: to a server without clients, and without a port, none does. */
export const leadsTo = (topology: Topology, endpoint: Endpoint): boolean =>
  candidatesFor(topology, endpoint).length > 0;

function routesTo(
  topology: Topology,
  endpoints: readonly Endpoint[],
  { networks }: Pick<Inventory, 'networks'>,
): Map<Endpoint, DockerNetwork> {
  const routes = new Map<Endpoint, DockerNetwork>();
  const missing = new Set<string>();
  for (const endpoint of endpoints) {
    const candidates = candidatesFor(topology, endpoint);
    if (candidates.length === 0) {
      const name = `${endpoint.owner.node.id}.${endpoint.name}`;
      throw modelError(endpoint.owner, `no network of the stack leads to ${name}`, 'connect a client to it');
    }
    const present = candidates.filter((network) => networks.has(network.name));
    const joined = present.find((network) => [...routes.values()].includes(network));
    const chosen = joined ?? present[0];
    if (chosen) routes.set(endpoint, chosen);
    else missing.add(`network ${candidates[0]?.name}`);
  }
  if (missing.size > 0) throw notDeployed(topology, [...missing]);
  return routes;
}

/**
 * Networks on which an endpoint answers, the best first: those of its own clients, of other clients of its owner, the
 * ones on which its owner is a client itself, the one that publishes its port, and those that lead its owner out of the
 * stack. A server outside the stack is reached where its clients reach it.
 */
function candidatesFor(topology: Topology, endpoint: Endpoint): readonly DockerNetwork[] {
  const { owner } = endpoint;
  const toOwner = topology.networksTo(owner);
  const ownClients = toOwner.filter(({ members: [client] }) => client?.connections.includes(endpoint));
  // A login is good on the networks of its own clients only: PostgreSQL knows who may come from where.
  if (endpoint.user !== undefined) return ownClients;
  const others = Workload.isWorkload(owner) ? topology.networksOf(owner) : [];
  const ofKind = (wanted: DockerNetwork['kind']) => others.filter(({ kind }) => kind === wanted);
  const ranked = [...ownClients, ...toOwner, ...ofKind('pair'), ...ofKind('published'), ...ofKind('external')];
  return [...new Set(ranked)];
}

/**
 * Which workloads' volumes to take, so that they hold all of these credentials and belong to one user. The server's own
 * comes first: a client may hold a wrong key, and a session should not fail, or succeed, with it.
 */
function holdersOf(
  topology: Topology,
  endpoints: readonly Endpoint[],
  { volumes }: Pick<Inventory, 'volumes'>,
): { readonly user: User; readonly holders: ReadonlyMap<string, Workload> } {
  const owners = new Map(endpoints.flatMap(({ credential, owner }) => (credential ? [[credential.name, owner]] : [])));
  const keepers = topology.workloads.filter((workload) => workload.secrets.some(({ name }) => owners.has(name)));
  const present = keepers.filter((workload) => volumes.has(secretsVolume(topology, workload)));
  const users = new Map([APPS_USER, ...keepers.map(({ user }) => user)].map((user) => [user.uid, user]));
  for (const user of users.values()) {
    const holders = cover(
      owners,
      present.filter((workload) => workload.user.uid === user.uid),
    );
    if (holders) return { user, holders };
  }
  const absent = keepers.filter((workload) => !present.includes(workload));
  const [owner] = owners.values();
  if (owner && absent.length === 0) {
    const names = [...owners.keys()].join(', ');
    throw modelError(owner, `no user of the stack can read all of ${names}`, 'connect one client to all of them');
  }
  throw notDeployed(
    topology,
    absent.map((workload) => `volume ${secretsVolume(topology, workload)}`),
  );
}

/** One holder for each secret: its server, or else whoever holds the least that is not needed; few volumes in all. */
function cover(
  owners: ReadonlyMap<string, Endpoint['owner']>,
  workloads: readonly Workload[],
): Map<string, Workload> | undefined {
  const holders = new Map<string, Workload>();
  for (const [secret, owner] of owners) {
    const own = workloads.find((workload) => workload === owner);
    if (own?.secrets.some(({ name }) => name === secret)) holders.set(secret, own);
  }
  const needed = (workload: Workload) =>
    workload.secrets.filter(({ name }) => owners.has(name) && !holders.has(name)).length;
  const surplus = (workload: Workload) => workload.secrets.filter(({ name }) => !owners.has(name)).length;
  while (holders.size < owners.size) {
    const [best] = workloads
      .filter((workload) => needed(workload) > 0)
      .sort(
        (a, b) =>
          surplus(a) - surplus(b) ||
          needed(b) - needed(a) ||
          Number(Job.isJob(a)) - Number(Job.isJob(b)) ||
          (a.node.id < b.node.id ? -1 : 1),
      );
    if (!best) return undefined;
    for (const { name } of best.secrets) if (owners.has(name) && !holders.has(name)) holders.set(name, best);
  }
  return holders;
}

/**
 * A client that trusts the private authorities of everything outside the stack that is reached: its file has their
 * certificates.
 */
function trustingClient(topology: Topology, endpoints: readonly Endpoint[]): Workload | undefined {
  const servers = new Set(
    endpoints.flatMap(({ owner }) =>
      ExternalServer.isExternalServer(owner) && owner.certificateAuthority !== undefined ? [owner] : [],
    ),
  );
  if (servers.size === 0) return undefined;
  const trusting = topology.workloads.find(
    (workload) =>
      workload.trustFiles.has(TRUST_VARIABLE) &&
      [...servers].every((server) => workload.connections.some(({ owner }) => owner === server)),
  );
  const [server] = servers;
  if (!trusting && server) {
    const names = [...servers].map(({ node }) => node.id).join(', ');
    throw modelError(server, `no client has the certificates for all of ${names}`, 'connect one client to all of them');
  }
  return trusting;
}

/** The volume with those certificates, where the client sees it itself. */
function trustVolume(topology: Topology, client: Workload): SessionVolume {
  const folder = folderOf(client.trustFiles.get(TRUST_VARIABLE) ?? '');
  const volume = filesVolumes(client, topology).find(({ mountPath }) => mountPath === folder);
  if (!volume) throw new Error(`${client.node.id} has no volume of certificates`);
  return { name: volume.name, path: folder };
}

/** A folder for each volume, since two may hold the same file. */
const folderFor = (holder: Workload): string => `${SECRETS_FOLDER}/${holder.node.id}`;

function secretsVolume(topology: Topology, workload: Workload): string {
  const volume = filesVolumes(workload, topology).find(({ mountPath }) => mountPath === SECRETS_FOLDER);
  if (!volume) throw new Error(`${workload.node.id} has no volume of secrets`);
  return volume.name;
}
