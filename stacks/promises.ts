import { RootConstruct } from 'constructs';
import { collectionsOf } from '../config/collections.js';
import type { Environment } from '../config/environment.js';
import type { Promises } from '../config/lock-schema.js';
import type { Settings } from '../config/schema.js';
import { IMAGES } from '../constructs/images.js';
import { planNetworks, type SecretRef, workloadsOf } from '../constructs/model/index.js';
import { RagServices } from './rag-services.js';

/** What the environment's stack has to be promised by its lock file. */
export function promisesOf(settings: Settings, name: Environment['name']): Promises {
  const services = new RagServices(new RootConstruct(), settings);
  const workloads = workloadsOf(services);
  const volumes = workloads.flatMap((workload) => workload.dataVolumes);
  return {
    networks: planNetworks(services).map((network) => network.id),
    volumes: Object.fromEntries(
      volumes
        .map((volume) => [volume.id, volume.name ?? `${name}-${volume.id}`] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    secrets: secretsOf(services).map((secret) => secret.name),
    postgresMajor: settings.services.postgres.external ? undefined : postgresMajor(settings),
    elsewhere: dataElsewhere(settings),
    collections: Object.fromEntries(
      collectionsOf(settings.services).map(({ name: collection, language, embedding }) => [
        collection,
        { language, embedding: embedding?.model ?? 'none', dimension: embedding?.dimension ?? 0 },
      ]),
    ),
  };
}

/** Every secret of the stack, sorted by name. */
export function secretsOf(services: RagServices): readonly SecretRef[] {
  const secrets = new Map<string, SecretRef>();
  for (const workload of workloadsOf(services)) {
    for (const secret of workload.secrets) secrets.set(secret.name, secret);
  }
  return [...secrets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Volumes that the stack would have if nobody else ran the servers, with the address of those. */
function dataElsewhere({ services: { postgres, qdrant } }: Settings): Readonly<Record<string, string>> {
  return {
    ...(postgres.external && { 'postgres-data': postgres.external.url }),
    ...(qdrant.external && { 'qdrant-data': qdrant.external.url }),
  };
}

/** The major version in the tag of PostgreSQL's image: `postgres:15.20-bookworm` gives 15. */
function postgresMajor(settings: Settings): number {
  const image = settings.services.postgres.image ?? IMAGES.postgres;
  return Number.parseInt(image.slice(image.indexOf(':', image.lastIndexOf('/') + 1) + 1), 10);
}
