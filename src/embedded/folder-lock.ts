import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** Who holds a folder. */
const Holder = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** Start of the system and space of process ids, where the system tells; a pid means nothing in another one. */
  space: z.object({ boot: z.string(), pids: z.string() }).nullable().default(null),
  /** When the process began, in the kernel's own count; null where the system does not tell. A pid may come again. */
  began: z.string().nullable(),
  /** Of this very lock. */
  id: z.uuid(),
  /** ISO 8601. */
  since: z.string(),
});
export type Holder = z.output<typeof Holder>;

const FILE = 'lock';

/** Another process uses the folder. */
export class FolderHeld extends Error {
  override readonly name = 'FolderHeld';

  constructor(
    readonly file: string,
    readonly holder: Holder,
  ) {
    super(`held by process ${holder.pid} on ${holder.host}`);
  }
}

/**
 * Makes this process the only one that uses a folder; gives the function that ends that. A process that was killed
 * holds nothing any more. Of several that come at once, one succeeds.
 *
 * @throws FolderHeld
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, FILE);
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    space: spaceOfPids(),
    began: beginOf(process.pid),
    id: randomUUID(),
    since: new Date().toISOString(),
  };
  const draft = `${file}.${mine.id}`;
  try {
    writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
    take(file, draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (readLock(file)?.id === mine.id) rmSync(file, { force: true });
  };
}

/**
 * Puts the draft where a lock is to be. Only one process may remove a given dead lock: the one that holds the claim to
 * it, which is a lock itself. Whoever looked at the dead lock and then was slow finds another one there, and leaves it.
 */
function take(path: string, draft: string, file: string): void {
  while (!tryLink(draft, path)) {
    const found = readLock(path);
    if (!found) continue;
    if (found.holder && isAlive(found.holder)) throw new FolderHeld(file, found.holder);
    const claim = `${file}.${found.id}.claim`;
    take(claim, draft, file);
    try {
      if (readLock(path)?.id === found.id) rmSync(path, { force: true });
    } finally {
      rmSync(claim, { force: true });
    }
  }
}

/** A link appears at once with all its content, and only where there is nothing. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when there is none. One that was not written by us, or was cut off, has no holder. */
function readLock(path: string): { readonly id: string; readonly holder: Holder | undefined } | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const holder = Holder.parse(JSON.parse(text));
    return { id: holder.id, holder };
  } catch {
    return { id: createHash('sha256').update(text).digest('hex'), holder: undefined };
  }
}

function isAlive({ pid, host, space, began }: Holder): boolean {
  // Of a process on another machine nothing can be known from here.
  if (host !== hostname()) return true;
  const ours = spaceOfPids();
  if (space && ours) {
    if (space.boot !== ours.boot) return false;
    // A container beside ours, on the same host name.
    if (space.pids !== ours.pids) return true;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return began === null || beginOf(pid) === began;
}

/** Null where the system does not tell: everywhere but on Linux. */
function spaceOfPids(): Holder['space'] {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { boot, pids: readlinkSync('/proc/self/ns/pid') };
  } catch {
    return null;
  }
}

/**
 * Start time of a process as Linux tells it, in clock ticks since the machine's own start; null elsewhere, and for one
 * that has ended and that its parent has not looked at yet.
 */
function beginOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold spaces; behind it are the state and, twentieth, the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
