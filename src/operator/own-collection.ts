import { collectionsOf, type SettledCollection } from '../../config/collections.js';
import { RagdockError } from '../errors/problem.js';
import type { DescribedStack } from './stack.js';

/**
 * A collection of the environment that ragdock fills.
 *
 * @throws RagdockError USAGE for one that is only read
 */
export function ownCollection({ environment }: DescribedStack, name: string): SettledCollection | undefined {
  const collection = collectionsOf(environment.settings.services).find((one) => one.name === name);
  if (collection?.layout !== 'langchain') return collection;
  throw new RagdockError({
    code: 'USAGE',
    path: `services.api.collections.${name}`,
    message: `${name} is a collection of LangChain, which ragdock reads and never writes`,
    remedy: 'Name another collection, or use what filled this one.',
  });
}
