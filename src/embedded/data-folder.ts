import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../../config/write-file.js';
import { RagdockError } from '../errors/problem.js';
import { SchemaTooNew } from '../rag/history/migrate.js';
import { Database } from './database.js';
import { FolderHeld, lockFolder } from './folder-lock.js';

/** Raised when a folder is laid out otherwise than before. An older ragdock refuses a newer folder. */
const FORMAT = 1;

/** How the folder is laid out; the one thing that every version says. */
const AnyFormat = z.object({ format: z.int().min(1) });

/** And whether what belongs in it is there: it is written before and after that is made. */
const FormatFile = AnyFormat.extend({ complete: z.boolean() });

const DATABASE = 'database';
const FORMAT_FILE = 'format.json';
export const LOG_FILE = 'ragdock.log';
const IGNORE_FILE = '.gitignore';
const OURS = /^(database|format\.json|ragdock\.log(\.1)?|lock(\..+)?|\.format\.json\..+\.tmp|\.gitignore)$/;

/** What systems put into folders by themselves. */
const THEIRS = /^(\.DS_Store|lost\+found|Thumbs\.db|desktop\.ini|\.nfs.+|\.fuse_hidden.+)$/;

/** A new database takes 40 MB, and PostgreSQL keeps a file of 16 MB ahead of its log. In bytes. */
const ROOM_FOR_NEW = 80 * 1024 * 1024;
const ROOM_TO_START = 32 * 1024 * 1024;

/** The folder that keeps everything of `ragdock up`, held by this process alone. */
export interface DataFolder {
  readonly path: string;
  /** Whether nothing was kept in it before. */
  readonly isNew: boolean;
  /**
   * Opens its database, which is for the caller to close. Throws RagdockError DATA_FOLDER_TOO_NEW, DATA_FOLDER_DAMAGED,
   * DISK_FULL; what was in the folder is as it was.
   */
  open(): Promise<Database>;
  /** Lets other processes in. */
  release(): void;
}

/**
 * Takes the folder for this process; makes it when it is missing.
 *
 * @throws RagdockError DATA_FOLDER_IN_USE, DATA_FOLDER_UNUSABLE, DATA_FOLDER_TOO_NEW, DISK_FULL
 */
export function holdDataFolder(path: string): DataFolder {
  const release = hold(path);
  try {
    const isNew = !isComplete(path);
    if (roomOn(path) < roomNeeded(path)) throw diskFull(path);
    return { path, isNew, open: () => openDatabase(path, isNew), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Makes the folder and takes it for this process. */
function hold(path: string): () => void {
  try {
    makeFolder(path);
    // First of all: what a newer version put there is not for this one to judge.
    refuseNewer(path);
    const foreign = readdirSync(path).find((name) => !OURS.test(name) && !THEIRS.test(name));
    if (foreign !== undefined) {
      const message = `it holds '${foreign}', which ragdock did not put there`;
      throw new RagdockError({ code: 'DATA_FOLDER_UNUSABLE', file: path, message });
    }
    return lockFolder(path);
  } catch (cause) {
    if (cause instanceof RagdockError) throw cause;
    if (cause instanceof FolderHeld) throw heldBy(path, cause);
    throw unusable(path, cause);
  }
}

/**
 * Makes a folder and what is missing above it. Step by step, because `recursive` of Node 20 never ends where ENOENT is
 * said of a folder although the one above it is there, as in /proc.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was faster; a link that leads nowhere is there, too, and is no folder.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existsSync(path)) throw error;
  }
}

function heldBy(path: string, { file, holder }: FolderHeld): RagdockError {
  const { pid, host, since } = holder;
  return new RagdockError({
    code: 'DATA_FOLDER_IN_USE',
    file: path,
    message: `process ${pid} on ${host} has used it since ${since}`,
    remedy: `End that process, or use a folder of its own with \`--data-dir\`. If ${host} is no more, remove ${file}.`,
  });
}

function refuseNewer(path: string): void {
  const file = join(path, FORMAT_FILE);
  if (!existsSync(file)) return;
  const { format } = readFormat(file, AnyFormat);
  if (format <= FORMAT) return;
  const message = `the folder has format ${format}; this version of ragdock knows ${FORMAT}`;
  throw new RagdockError({ code: 'DATA_FOLDER_TOO_NEW', file, message });
}

/** Whether the folder holds all that an earlier process made. */
function isComplete(path: string): boolean {
  const file = join(path, FORMAT_FILE);
  if (!existsSync(file) && !existsSync(join(path, DATABASE))) return false;
  return readFormat(file, FormatFile).complete;
}

function readFormat<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    const message = 'the file does not say how the folder is laid out';
    throw new RagdockError({ code: 'DATA_FOLDER_UNUSABLE', file, message }, { cause });
  }
}

function writeFormat(path: string, complete: boolean): void {
  const content: z.output<typeof FormatFile> = { format: FORMAT, complete };
  writeAtomically(join(path, FORMAT_FILE), `${JSON.stringify(content)}\n`);
}

async function openDatabase(path: string, isNew: boolean): Promise<Database> {
  const folder = join(path, DATABASE);
  let database: Database | undefined;
  try {
    if (isNew) {
      writeFormat(path, false);
      // The folder may lie in somebody's repository, and a history is not for others.
      writeFileSync(join(path, IGNORE_FILE), '*\n');
      // A database that was cut off while it was made; nothing was acknowledged into it.
      rmSync(folder, { recursive: true, force: true });
    }
    database = isNew ? await Database.create(folder) : await Database.open(folder);
    await database.migrate();
    if (isNew) writeFormat(path, true);
    return database;
  } catch (cause) {
    await database?.close().catch(() => undefined);
    if (cause instanceof SchemaTooNew) {
      throw new RagdockError({ code: 'DATA_FOLDER_TOO_NEW', file: folder, message: cause.message }, { cause });
    }
    if (roomOn(path) < ROOM_TO_START) throw diskFull(path, cause);
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new RagdockError({ code: 'DATA_FOLDER_DAMAGED', file: folder, message }, { cause });
  }
}

function diskFull(path: string, cause?: unknown): RagdockError {
  const [free, wanted] = [roomOn(path), roomNeeded(path)].map((bytes) => `${Math.floor(bytes / 1024 / 1024)} MiB`);
  const message = `the disk has ${free} left; ${wanted} are needed`;
  return new RagdockError({ code: 'DISK_FULL', file: path, message }, { cause });
}

function roomNeeded(path: string): number {
  return existsSync(join(path, DATABASE)) ? ROOM_TO_START : ROOM_FOR_NEW;
}

/** Bytes that this user can still write there. */
function roomOn(path: string): number {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

function unusable(path: string, cause: unknown): RagdockError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return diskFull(path, cause);
  return new RagdockError({ code: 'DATA_FOLDER_UNUSABLE', file: path, message }, { cause });
}
