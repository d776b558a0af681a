import { createServer } from 'node:net';
import { overlaps, parseRange, type Range, showRange } from '../../config/subnets.js';
import { RagdockError } from '../errors/problem.js';

/** Something that is in use, and by whom. */
export interface Taken<T> {
  readonly what: T;
  readonly by: string;
}

/** A value that is free, and who has the first choice. */
export interface Choice<T> {
  readonly value: T;
  /** @default - nobody; this is the first choice */
  readonly instead?: Taken<T>;
}

/** Addresses of 10.0.0.0/8 behind the first choice that are tried. */
const LAST_POOL = parseRange('10.255.255.255/32').last;

/** Ports behind the first choice that are tried. */
const PORTS = 100;

/** The first pool from `first` on that overlaps no range in use. Throws NAME_CLASH when there is none. */
export function freePool(first: string, taken: readonly Taken<string>[]): Choice<string> {
  const holder = (pool: Range) => taken.find(({ what }) => overlaps(parseRange(what), pool));
  const start = parseRange(first);
  const instead = holder(start);
  if (!instead) return { value: first };
  for (let pool = start; pool.last <= LAST_POOL; pool = following(pool)) {
    if (!holder(pool)) return { value: showRange(pool), instead };
  }
  throw nothingFree(`no range of the size of ${first} is free up to 10.255.255.255; ${first} is held by ${instead.by}`);
}

const following = ({ first, last, prefix }: Range): Range => ({
  first: last + 1,
  last: last + 1 + last - first,
  prefix,
});

/** The first port from `first` on that is neither taken nor in use. Throws NAME_CLASH when there is none. */
export async function freePort(
  first: number,
  taken: readonly Taken<number>[],
  inUse: (port: number) => Promise<boolean>,
): Promise<Choice<number>> {
  const holder = async (port: number): Promise<Taken<number> | undefined> =>
    taken.find(({ what }) => what === port) ??
    ((await inUse(port)) ? { what: port, by: 'another program of this machine' } : undefined);
  const instead = await holder(first);
  if (!instead) return { value: first };
  for (let port = first + 1; port < first + PORTS; port++) {
    if (!(await holder(port))) return { value: port, instead };
  }
  throw nothingFree(`no port from ${first} to ${first + PORTS - 1} is free; ${first} is held by ${instead.by}`);
}

function nothingFree(message: string): RagdockError {
  return new RagdockError({
    code: 'NAME_CLASH',
    message,
    remedy: 'Remove an environment, or end a program, that holds one.',
  });
}

/** Whether somebody listens on a port of this machine's 127.0.0.1, found out by listening there for a moment. */
export function portInUse(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
  });
}
