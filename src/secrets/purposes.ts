import { RootConstruct } from 'constructs';
import type { Settings } from '../../config/schema.js';
import { secretsOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';

/** What each secret of a stack opens, by its name. Loads the whole model. */
export function purposesOf(settings: Settings): ReadonlyMap<string, string> {
  const services = new RagServices(new RootConstruct(), settings);
  return new Map(secretsOf(services).map(({ name, purpose }) => [name, purpose]));
}

/** Names of the secrets that cannot be made up, because somebody else made them. Loads the whole model. */
export function givenSecretsOf(settings: Settings): ReadonlySet<string> {
  const services = new RagServices(new RootConstruct(), settings);
  return new Set(secretsOf(services).flatMap(({ name, origin }) => (origin === 'given' ? [name] : [])));
}
