import type { EmbeddingsSettings } from './embeddings.js';
import type { LlmSettings } from './llm.js';
import type { Path } from './located.js';
import type { PublishSettings, Settings } from './schema.js';

/** A name that something claims in the Docker engine, and the setting that gives it. */
export interface NameClaim {
  readonly name: string;
  readonly path: Path;
}

/** A published port and the setting that gives it: the path of the whole `publish`. */
export interface PublishedPort {
  readonly publish: PublishSettings;
  readonly path: Path;
}

/** What one service of an environment claims on its host, and how the YAML calls it. */
export interface ServiceClaims {
  /** Id in the model; the default names derive from it. */
  readonly id: string;
  /** Path of its settings. */
  readonly path: Path;
  /** Its container, the one that carries its files, and those of its jobs; of an external service the jobs’ alone. */
  readonly containers: readonly NameClaim[];
  readonly volumes: readonly NameClaim[];
  /** Its ports on the host, and the settings that give them. */
  readonly published: readonly PublishedPort[];
  /** Port on which it listens at a gateway of one of the stack's networks, which is an address of the host. */
  readonly gatewayPort?: number;
  /** How `connections` of extra services call it. @default - they cannot */
  readonly target?: string;
  /** Whether its clients have to present a credential. */
  readonly credential: boolean;
  /** Whether somebody else runs it, so that nothing of it is deployed but its jobs. */
  readonly external: boolean;
  /** Whether its certificate is checked against private authorities. */
  readonly privateAuthority: boolean;
}

/** Ids that the stack gives to services and jobs of its own, whether they are enabled or not. */
export function reservedIds(settings: Settings): ReadonlySet<string> {
  const { postgres, qdrant, webBot, prometheus, nodeExporter, postgresExporter, alertmanager, grafana } =
    settings.services;
  const { embeddings, dcgmExporter, agentExporter } = settings.services;
  const everything: Settings = {
    ...settings,
    services: {
      ...settings.services,
      postgres: { ...postgres, external: undefined },
      qdrant: { ...qdrant, external: undefined },
      webBot: { ...webBot, enabled: true },
      prometheus: { ...prometheus, enabled: true },
      nodeExporter: { ...nodeExporter, enabled: true },
      agentExporter: { ...agentExporter, enabled: true },
      postgresExporter: { ...postgresExporter, enabled: true },
      alertmanager: { ...alertmanager, enabled: true },
      grafana: { ...grafana, enabled: true },
      embeddings: { ...embeddings, enabled: true },
      dcgmExporter: { ...dcgmExporter, enabled: true },
    },
    extraServices: {},
  };
  return new Set(managedServices(everything).flatMap(({ id, jobs }) => [id, ...jobs.map((job) => `${id}-${job}`)]));
}

/** The enabled services of an environment with everything that they claim, the defaults included. */
export function servicesOf(settings: Settings, environment: string): readonly ServiceClaims[] {
  return [
    ...managedServices(settings).map((service) => claimsOfManaged(service, environment)),
    ...Object.entries(settings.extraServices).map(([name, extra]): ServiceClaims => {
      const path = ['extraServices', name];
      return {
        id: name,
        path,
        containers: containers(extra.container ?? `${environment}-${name}`, [...path, 'container']),
        volumes: extra.volumes.map((volume, index) => ({
          name: volume.name,
          path: [...path, 'volumes', index, 'name'],
        })),
        published: extra.publish ? [{ publish: extra.publish, path: [...path, 'publish'] }] : [],
        credential: false,
        external: false,
        privateAuthority: false,
      };
    }),
  ];
}

/** What the stack knows about each of its own services, before names are settled. */
interface ManagedService {
  readonly id: string;
  readonly path: Path;
  readonly settings: {
    readonly container?: string | undefined;
    readonly volume?: string | undefined;
    readonly publish?: PublishSettings | undefined;
    readonly publishGrpc?: PublishSettings | undefined;
  };
  /** What the default names of its data volumes end in; `volume:` of its settings names the first. */
  readonly volumes: readonly string[];
  /** Volumes without a default name. */
  readonly namedVolumes?: readonly NameClaim[];
  /** Jobs that prepare it: their ids are `<id>-<job>`. */
  readonly jobs: readonly string[];
  readonly gatewayPort?: number;
  readonly target?: string;
  readonly credential: boolean;
  /** Where it is, when somebody else runs it. */
  readonly external?: { readonly ca?: string | undefined; readonly caFile?: string | undefined } | undefined;
}

function managedServices({ services }: Settings): readonly ManagedService[] {
  const { postgres, qdrant, llm, api, webBot, prometheus, nodeExporter } = services;
  const { agentExporter, postgresExporter, alertmanager, grafana, embeddings, dcgmExporter } = services;
  const at = (...keys: string[]): Path => ['services', ...keys];
  return [
    {
      id: 'postgres',
      path: at('postgres'),
      ...(postgres.external
        ? { settings: {}, volumes: [], jobs: ['roles'] }
        : {
            settings: postgres,
            volumes: ['data'],
            namedVolumes:
              postgres.backupsVolume === undefined
                ? []
                : [{ name: postgres.backupsVolume, path: at('postgres', 'backupsVolume') }],
            jobs: ['roles', 'logins', 'ownership'],
          }),
      credential: true,
      external: postgres.external,
    },
    {
      id: 'qdrant',
      path: at('qdrant'),
      ...(qdrant.external
        ? { settings: {}, volumes: [], jobs: ['collections'] }
        : { settings: qdrant, volumes: ['data', 'snapshots'], jobs: ['collections', 'ownership'] }),
      target: 'qdrant',
      credential: true,
      external: qdrant.external,
    },
    ...Object.entries(llm).map(([name, server]) => ({
      id: `llm-${name}`,
      path: at('llm', name),
      ...modelServer(server),
      target: `llm.${name}`,
      credential: server.engine !== 'openai' || server.keySecret !== undefined,
      external: server.engine === 'openai' ? server : undefined,
    })),
    ...(embeddings.enabled
      ? [
          {
            id: 'embeddings',
            path: at('embeddings'),
            ...embeddingServer(embeddings),
            target: 'embeddings',
            credential: true,
          },
        ]
      : []),
    { id: 'rag-api', path: at('api'), settings: api, volumes: [], jobs: [], target: 'api', credential: true },
    ...(webBot.enabled
      ? [
          {
            id: 'web-bot',
            path: at('webBot'),
            settings: webBot,
            volumes: [],
            jobs: [],
            target: 'webBot',
            credential: false,
          },
        ]
      : []),
    ...(prometheus.enabled
      ? [
          {
            id: 'prometheus',
            path: at('prometheus'),
            settings: prometheus,
            volumes: ['data'],
            jobs: ['ownership'],
            target: 'prometheus',
            credential: false,
          },
        ]
      : []),
    ...(nodeExporter.enabled
      ? [
          {
            id: 'node-exporter',
            path: at('nodeExporter'),
            settings: nodeExporter,
            volumes: [],
            jobs: [],
            credential: false,
            gatewayPort: 9100,
          },
        ]
      : []),
    ...(agentExporter.enabled
      ? [
          {
            id: 'agent-exporter',
            path: at('agentExporter'),
            settings: agentExporter,
            volumes: [],
            jobs: [],
            credential: false,
          },
        ]
      : []),
    ...(dcgmExporter.enabled
      ? [
          {
            id: 'dcgm-exporter',
            path: at('dcgmExporter'),
            settings: dcgmExporter,
            volumes: [],
            jobs: [],
            credential: false,
          },
        ]
      : []),
    ...(postgresExporter.enabled
      ? [
          {
            id: 'postgres-exporter',
            path: at('postgresExporter'),
            settings: postgresExporter,
            volumes: [],
            jobs: [],
            credential: false,
          },
        ]
      : []),
    ...(alertmanager.enabled
      ? [
          {
            id: 'alertmanager',
            path: at('alertmanager'),
            settings: alertmanager,
            volumes: ['data'],
            jobs: ['ownership'],
            credential: false,
          },
        ]
      : []),
    ...(grafana.enabled
      ? [
          {
            id: 'grafana',
            path: at('grafana'),
            settings: grafana,
            volumes: ['data'],
            jobs: ['admin', 'ownership'],
            credential: true,
          },
        ]
      : []),
  ];
}

/** A server of llama.cpp has its model in a volume; vLLM keeps what it compiled as well, and may read the host's files. */
function modelServer(server: LlmSettings): Pick<ManagedService, 'settings' | 'volumes' | 'jobs'> {
  if (server.engine === 'openai') return { settings: {}, volumes: [], jobs: [] };
  const download = { settings: server, volumes: ['models'], jobs: ['model', 'model-ownership'] };
  if (server.engine === 'llama.cpp') return download;
  if (server.model.onHost)
    return { settings: { container: server.container }, volumes: ['cache'], jobs: ['ownership'] };
  return { ...download, volumes: ['models', 'cache'], jobs: [...download.jobs, 'ownership'] };
}

/** A model that the host has needs no volume, and nothing brings it. */
function embeddingServer(server: EmbeddingsSettings): Pick<ManagedService, 'settings' | 'volumes' | 'jobs'> {
  if (server.model.onHost) return { settings: { container: server.container }, volumes: [], jobs: [] };
  return { settings: server, volumes: ['models'], jobs: ['model', 'model-ownership'] };
}

function claimsOfManaged(service: ManagedService, environment: string): ServiceClaims {
  const { id, path, settings, jobs, gatewayPort, target, credential, external } = service;
  const containerPath = [...path, 'container'];
  const jobContainers = jobs.flatMap((job) => containers(`${environment}-${id}-${job}`, containerPath));
  const volumes = service.volumes.map((volume, index) => ({
    name: (index === 0 ? settings.volume : undefined) ?? `${environment}-${id}-${volume}`,
    path: [...path, 'volume'],
  }));
  return {
    id,
    path,
    containers: external
      ? jobContainers
      : [...containers(settings.container ?? `${environment}-${id}`, containerPath), ...jobContainers],
    volumes: [...volumes, ...(service.namedVolumes ?? [])],
    published: (['publish', 'publishGrpc'] as const).flatMap((key) => {
      const publish = settings[key];
      return publish ? [{ publish, path: [...path, key] }] : [];
    }),
    ...(gatewayPort === undefined ? {} : { gatewayPort }),
    ...(target === undefined ? {} : { target }),
    credential,
    external: external !== undefined,
    privateAuthority: external?.ca !== undefined || external?.caFile !== undefined,
  };
}

/** A container, and the one that carries its files into volumes. */
function containers(name: string, path: Path): [NameClaim, NameClaim] {
  return [
    { name, path },
    { name: `${name}-files`, path },
  ];
}
