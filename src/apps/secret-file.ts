import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Credential } from '../rag/ports.js';

/** One version of a secret. */
export interface SecretVersion {
  /** From 1 on. */
  readonly version: number;
  /** Without surrounding white space. */
  readonly value: string;
}

/**
 * The newest version of a secret, without surrounding white space.
 *
 * @param path - the path without version; the highest PATH.vN is read
 * @throws when there is no version, or the newest one is empty; the message names the file, never its content
 */
export async function newest(path: string): Promise<string> {
  const [file] = await files(path);
  return readSecret(file);
}

/** The two newest versions, newest first. Throws as `newest` does. */
export async function versions(path: string): Promise<readonly SecretVersion[]> {
  const found = (await files(path)).slice(0, 2);
  return Promise.all(found.map(async (file) => ({ version: versionOf(file), value: await readSecret(file) })));
}

/** The values of the two newest versions, newest first. Throws as `newest` does. */
export async function valid(path: string): Promise<readonly string[]> {
  return (await versions(path)).map(({ value }) => value);
}

/** The values of all versions, newest first. Throws as `newest` does, also for an older one that is empty. */
export async function every(path: string): Promise<readonly string[]> {
  return Promise.all((await files(path)).map(readSecret));
}

/**
 * The values that are accepted from clients, newest first: that of the newest version, and for a time after its file
 * came that of the version before, which clients go on with until they have read theirs.
 */
export class AcceptedSecrets {
  readonly #path: string;
  readonly #overlapMs: number;
  /** When this process first saw the newest version's file, by the file's own time: a deploy may write it anew. */
  #newest: { readonly file: string; readonly since: number } | undefined;

  /**
   * @param path without version, as for `newest`
   * @param overlapMs how long the version before is accepted, in milliseconds
   */
  constructor(path: string, overlapMs: number) {
    this.#path = path;
    this.#overlapMs = overlapMs;
  }

  /** Throws as `newest` does. */
  async read(): Promise<readonly string[]> {
    const [file, previous] = await files(this.#path);
    if (this.#newest?.file !== file) this.#newest = { file, since: (await stat(file)).ctimeMs };
    const accepted = previous !== undefined && Date.now() < this.#newest.since + this.#overlapMs;
    return Promise.all((accepted ? [file, previous] : [file]).map(readSecret));
  }
}

/**
 * The newest version of a secret file, remembered until the other side refuses it. Where a rotation was taken back, the
 * version before it is the one in force: it is the next to be shown when the newest has been refused.
 */
export class FileCredential implements Credential {
  readonly #path: string;
  #value: string;

  private constructor(path: string, value: string) {
    this.#path = path;
    this.#value = value;
  }

  static async open(path: string): Promise<FileCredential> {
    return new FileCredential(path, await newest(path));
  }

  current(): string {
    return this.#value;
  }

  async refresh(refused: string): Promise<string> {
    const [value = '', before = value] = await valid(this.#path);
    // After the wait: of two calls that were refused the same value, the second must not take it up again.
    if (this.#value === refused) this.#value = value === refused ? before : value;
    return this.#value;
  }
}

/** Paths of all versions, newest first. */
async function files(path: string): Promise<[string, ...string[]]> {
  const prefix = `${basename(path)}.v`;
  const folder = dirname(path);
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)),
  );
  const [first, ...rest] = names.map((name) => join(folder, name)).sort((a, b) => versionOf(b) - versionOf(a));
  if (first === undefined) throw new Error(`${path}: there is no version of this secret, such as ${path}.v1`);
  return [first, ...rest];
}

const versionOf = (file: string): number => Number(/\d+$/.exec(file)?.[0]);

/** The value in one file, without surrounding white space. Throws when it is empty; the message names the file alone. */
export async function readSecret(file: string): Promise<string> {
  const value = (await readFile(file, 'utf8')).trim();
  if (value === '') throw new Error(`${file}: the secret is empty`);
  return value;
}
