import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isOutOfSight } from './see-engine.js';

/** State of a socket that listens, as the kernel writes it. */
const LISTEN = '0A';

/** Who listens on a port of this machine. */
export interface Listener {
  readonly port: number;
  /** Line of the kernel's table that says so, without what is behind the inode. */
  readonly line: string;
  /** User that the socket belongs to. */
  readonly uid: number;
  /** Its process. @default - it belongs to somebody whose processes we may not look at */
  readonly process?: { readonly pid: number; readonly name: string } | undefined;
}

/**
 * Who listens on these ports of this machine, one of each.
 *
 * @param proc where the kernel shows its tables
 */
export async function listenersOn(ports: ReadonlySet<number>, proc = '/proc'): Promise<readonly Listener[]> {
  const sockets = (await Promise.all(['tcp', 'tcp6'].map((table) => socketsIn(join(proc, 'net', table)))))
    .flat()
    .filter(({ port }) => ports.has(port));
  const first = [...new Map(sockets.reverse().map((socket) => [socket.port, socket])).values()];
  if (first.length === 0) return [];
  const holders = await processesOf(new Set(first.map(({ inode }) => inode)), proc);
  return first.map(({ inode, ...socket }) => ({ ...socket, process: holders.get(inode) }));
}

interface Socket extends Omit<Listener, 'process'> {
  readonly inode: string;
}

/** Columns: slot, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode. */
async function socketsIn(table: string): Promise<readonly Socket[]> {
  const text = await readFile(table, 'utf8').catch((error: unknown) => {
    // A kernel without IPv6 has no such table; another system has none at all.
    if (isOutOfSight(error)) return '';
    throw error;
  });
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTEN)
    .map((columns) => ({
      port: Number.parseInt(columns[1]?.split(':')[1] ?? '', 16),
      line: `${table}: ${columns.slice(0, 10).join(' ')}`,
      uid: Number(columns[7]),
      inode: columns[9] ?? '',
    }));
}

/** The processes that hold sockets, by inode. */
async function processesOf(
  inodes: ReadonlySet<string>,
  proc: string,
): Promise<ReadonlyMap<string, Listener['process']>> {
  const found = new Map<string, Listener['process']>();
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    for (const inode of await socketsOf(join(proc, pid, 'fd'))) {
      if (!inodes.has(inode) || found.has(inode)) continue;
      found.set(inode, { pid: Number(pid), name: await nameOf(join(proc, pid, 'comm')) });
    }
    if (found.size === inodes.size) break;
  }
  return found;
}

async function socketsOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(noneWhenGone([]));
  const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(noneWhenGone(''))));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

const nameOf = async (file: string): Promise<string> => (await readFile(file, 'utf8').catch(noneWhenGone(''))).trim();

/** A process may end while we look, and one of somebody else is closed to us. */
function noneWhenGone<T>(none: T): (error: unknown) => T {
  return (error) => {
    if (isOutOfSight(error) || (error as NodeJS.ErrnoException).code === 'ESRCH') return none;
    throw error;
  };
}
