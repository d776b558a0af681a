import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** Who holds a folder. */
const Holder = z.object({
  pid: z.int(),
  host: z.string(),
  /** When the process began, in the kernel's own count; null where the system does not tell. A pid may come again. */
  began: z.string().nullable(),
  /** Of this very lock. */
  id: z.string(),
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
    began: beginOf(process.pid),
    id: randomUUID(),
    since: new Date().toISOString(),
  };
  const draft = `${file}.${mine.id}`;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    // A link appears at once with all its content, and only where there is nothing.
    while (!tryLink(draft, file)) takeAwayDead(file);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (readHolder(file)?.id === mine.id) rmSync(file, { force: true });
  };
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a process that is no more. Throws `FolderHeld` when it is alive. */
function takeAwayDead(file: string): void {
  const holder = readHolder(file);
  if (holder && isAlive(holder)) throw new FolderHeld(file, holder);
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    // Somebody else took it away.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Between the look and the step another process may have put its own lock there: it gets it back.
  const taken = readHolder(aside);
  if (taken && taken.id !== holder?.id) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function readHolder(file: string): Holder | undefined {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    // Gone, or not written by us: nobody holds it.
    return undefined;
  }
}

function isAlive({ pid, host, began }: Holder): boolean {
  // Of a process on another machine nothing can be known from here.
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return began === null || beginOf(pid) === began;
}

/** Start time of a process as Linux tells it, in clock ticks since the machine's own start; null elsewhere. */
function beginOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold spaces; field 22 is the twentieth behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
