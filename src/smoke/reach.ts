import type { Topology } from '../../constructs/engines/docker/index.js';
import { RagdockError } from '../errors/problem.js';
import { leadsTo, SessionAccess } from '../operator/session-access.js';
import type { Inventory } from '../operator/stack.js';
import type { TargetSource } from './targets.js';

/** What one session asks, and how it gets there. */
export interface SessionGroup {
  readonly access: SessionAccess;
  readonly sources: readonly TargetSource[];
}

/** How a stack is asked from inside. */
export interface Reach {
  /** One session each; the first has what the RAG API's own user can read. */
  readonly groups: readonly SessionGroup[];
  /** What the engine has no way to, with the reason. */
  readonly unreachable: ReadonlyMap<TargetSource, string>;
  /** What the model has no way to: nobody is connected to it, and no port leads there. */
  readonly unserved: readonly TargetSource[];
}

/**
 * Put everything that can be asked into few sessions. A process is one user, and a key may be in a volume that another
 * one alone can read: a model server that only Prometheus scrapes, or nobody, keeps its key to itself.
 */
export function reach(
  topology: Topology,
  sources: readonly TargetSource[],
  inventory: Pick<Inventory, 'networks' | 'volumes'>,
): Reach {
  const access = (of: readonly TargetSource[]) =>
    orRefusal(
      () =>
        new SessionAccess(
          topology,
          of.flatMap(({ endpoints }) => endpoints),
          inventory,
        ),
    );
  const groups: SessionGroup[] = [];
  const unreachable = new Map<TargetSource, string>();
  const unserved: TargetSource[] = [];
  for (const source of sources) {
    if (!source.endpoints.every((endpoint) => leadsTo(topology, endpoint))) {
      unserved.push(source);
      continue;
    }
    const alone = access([source]);
    if (!(alone instanceof SessionAccess)) {
      unreachable.set(source, alone);
      continue;
    }
    let joined = false;
    for (const [index, group] of groups.entries()) {
      const together = access([...group.sources, source]);
      if (!(together instanceof SessionAccess)) continue;
      groups[index] = { access: together, sources: [...group.sources, source] };
      joined = true;
      break;
    }
    if (!joined) groups.push({ access: alone, sources: [source] });
  }
  return { groups, unreachable, unserved };
}

/** What it makes, or in the words of the error why it cannot. */
function orRefusal(make: () => SessionAccess): SessionAccess | string {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RagdockError)) throw error;
    return error.problems.map(({ message }) => message).join('; ');
  }
}
