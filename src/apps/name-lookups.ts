import dns from 'node:dns';

type Lookup = typeof dns.lookup;
type Answer = (...answer: unknown[]) => void;

/**
 * Has this process ask for a name once, however many calls want it at that time. The engine of an internal network leaves
 * a name unanswered while its container is replaced, and each question takes a thread until it gives up: without this,
 * the connections to one server that is gone keep those to all others from their addresses.
 *
 * For the process as a whole, since the client of PostgreSQL takes no look-up of its own.
 */
export function shareNameLookups(): void {
  dns.lookup = sharing(dns.lookup);
}

/** The same look-up, which answers everybody who asks for one name in one way together. */
export function sharing(lookup: Lookup): Lookup {
  const waiting = new Map<string, Answer[]>();
  const shared = (hostname: string, ...rest: readonly unknown[]): void => {
    const answer = rest.at(-1) as Answer;
    const options = rest.slice(0, -1);
    const key = JSON.stringify([hostname, ...options]);
    const asking = waiting.get(key);
    if (asking) {
      asking.push(answer);
      return;
    }
    const all = [answer];
    waiting.set(key, all);
    const answerAll: Answer = (...given) => {
      waiting.delete(key);
      // Each in a turn of its own: what one of them throws is not for the others.
      for (const one of all) process.nextTick(one, ...given);
    };
    try {
      (lookup as (...call: readonly unknown[]) => void)(hostname, ...options, answerAll);
    } catch (error) {
      waiting.delete(key);
      throw error;
    }
  };
  return shared as Lookup;
}
