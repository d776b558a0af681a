import { RootConstruct } from 'constructs';
import type { Settings } from '../../config/schema.js';
import { type SecretRef, workloadsOf } from '../../constructs/model/index.js';
import { secretsOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';

/** What is known of one secret of a stack, whatever its value. */
export interface CatalogueEntry {
  readonly name: string;
  /** What it opens, in a few words. */
  readonly purpose: string;
  /** Services and jobs that get its file, sorted. */
  readonly readers: readonly string[];
  /** `generated`: any strong value will do. `given`: somebody else made it. Either is of the characters of `ALPHABET`. */
  readonly origin: SecretRef['origin'];
}

/** Every secret of an environment, sorted by name, as its services declare them. Loads the whole model. */
export function catalogueOf(settings: Settings): readonly CatalogueEntry[] {
  const services = new RagServices(new RootConstruct(), settings);
  const workloads = workloadsOf(services);
  return secretsOf(services).map(({ name, purpose, origin }) => ({
    name,
    purpose,
    origin,
    readers: workloads
      .filter(({ secrets }) => secrets.some((secret) => secret.name === name))
      .map(({ node }) => node.id)
      .sort(),
  }));
}

/** Names of the secrets that cannot be made up, because somebody else made them. Loads the whole model. */
export function givenSecretsOf(settings: Settings): ReadonlySet<string> {
  return new Set(catalogueOf(settings).flatMap(({ name, origin }) => (origin === 'given' ? [name] : [])));
}
