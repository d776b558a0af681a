import type { Settings } from '../../config/schema.js';

/** The services whose limit can be lowered, and those that can be left out, as the YAML calls them. */
export type Shrinkable = 'prometheus' | 'api' | 'webBot' | 'llm' | 'qdrant' | 'postgres';

/** What the services of a new environment may take of their engine's memory, in MiB. */
export interface MemoryPlan {
  /** Limits that are lower than the defaults. */
  readonly limits: ReadonlyMap<Shrinkable, number>;
  /** Whether there is room for Prometheus and node exporter. */
  readonly monitored: boolean;
  /** The sum of all limits. */
  readonly total: number;
  /** What is there for this environment: the engine's memory without what the system and other environments need. */
  readonly budget: number;
}

/**
 * Least memory with which each service does its work for a few people, in MiB. The one that loses least by a lower
 * limit comes first: the databases keep their caches as long as they can.
 */
const LEAST: readonly (readonly [Shrinkable, number])[] = [
  ['prometheus', 256],
  ['api', 256],
  ['webBot', 192],
  ['llm', 1024],
  ['qdrant', 512],
  ['postgres', 512],
];

/** What the system and the engine themselves get: an eighth, and not less than this, in MiB. */
const LEAST_FOR_SYSTEM = 512;

/** Limits that fit the engine's memory together: the defaults if they do, otherwise as few lower ones as needed. */
export function planMemory(defaults: Settings, engineMiB: number, othersMiB: number): MemoryPlan {
  const budget = engineMiB - Math.max(LEAST_FOR_SYSTEM, Math.ceil(engineMiB / 8)) - othersMiB;
  const limits = new Map<Shrinkable, number>();
  let total = memoryOf(defaults);
  for (const [service, least] of LEAST) {
    if (total <= budget) break;
    limits.set(service, least);
    total -= limitOf(defaults, service) - least;
  }
  if (total <= budget) return { limits, monitored: true, total, budget };
  total -= (limits.get('prometheus') ?? 0) + defaults.services.nodeExporter.memory;
  limits.delete('prometheus');
  return { limits, monitored: false, total, budget };
}

/** The sum of the limits of an environment's services. */
export function memoryOf({ services, extraServices }: Settings): number {
  const { postgres, qdrant, llm, api, webBot, prometheus, nodeExporter } = services;
  const { agentExporter, postgresExporter, alertmanager, grafana, embeddings, dcgmExporter } = services;
  const exporters = [nodeExporter, agentExporter, postgresExporter, dcgmExporter];
  const optional = [webBot, embeddings, prometheus, ...exporters, alertmanager, grafana].filter(
    ({ enabled }) => enabled,
  );
  // What somebody else runs takes nothing of this host.
  const managed = [postgres, qdrant].filter(({ external }) => external === undefined);
  const models = Object.values(llm).filter((server) => server.engine !== 'openai');
  return [...managed, ...models, api, ...optional, ...Object.values(extraServices)].reduce(
    (sum, { memory }) => sum + memory,
    0,
  );
}

function limitOf({ services }: Settings, service: Shrinkable): number {
  if (service !== 'llm') return services[service].memory;
  const { main } = services.llm;
  return main && main.engine !== 'openai' ? main.memory : 0;
}
