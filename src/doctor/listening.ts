import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isOutOfSight } from './see-engine.js';

/** State of a socket that listens, as the kernel writes it. */
const LISTEN = '0A';

const EVERYWHERE = '0.0.0.0';

/** Who listens on a port of this machine. */
export interface Listener {
  readonly port: number;
  /** The address that it listens on; `0.0.0.0` for every one, of IPv6 as well. */
  readonly address: string;
  /** Line of the kernel's table that says so, without what is behind the inode. */
  readonly line: string;
  /** User that the socket belongs to. */
  readonly uid: number;
  /** Its process. @default - it belongs to somebody whose processes we may not look at */
  readonly process?: { readonly pid: number; readonly name: string } | undefined;
}

/**
 * Who listens on these ports of this machine, one of each port and address.
 *
 * @param proc where the kernel shows its tables
 */
export async function listenersOn(ports: ReadonlySet<number>, proc = '/proc'): Promise<readonly Listener[]> {
  const sockets = (await Promise.all(['tcp', 'tcp6'].map((table) => socketsIn(join(proc, 'net', table)))))
    .flat()
    .filter(({ port }) => ports.has(port));
  const first = [...new Map(sockets.reverse().map((socket) => [`${socket.port} ${socket.address}`, socket])).values()];
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
      address: addressOf(columns[1]?.split(':')[0] ?? ''),
      line: `${table}: ${columns.slice(0, 10).join(' ')}`,
      uid: Number(columns[7]),
      inode: columns[9] ?? '',
    }));
}

/** An address as the kernel writes it, each four bytes in the order of this machine. What IPv6 has of IPv4 is that. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.every((byte) => byte === 0)) return EVERYWHERE;
  const isMapped = bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (bytes.length === 4 || isMapped) return bytes.slice(-4).join('.');
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  return words.map((word) => word.toString(16)).join(':');
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
