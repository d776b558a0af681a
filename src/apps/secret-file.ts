import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Credential } from '../rag/ports.js';

/**
 * The newest version of a secret, without surrounding white space.
 *
 * @param path - the path without version; the highest PATH.vN is read
 * @throws when there is no version, or the newest one is empty; the message names the file, never its content
 */
export async function newest(path: string): Promise<string> {
  const [file] = await versions(path);
  return readSecret(file);
}

/** The values that are accepted from clients: those of the two newest versions, newest first. Throws as `newest` does. */
export async function valid(path: string): Promise<readonly string[]> {
  return Promise.all((await versions(path)).slice(0, 2).map(readSecret));
}

/** The newest version of a secret file, remembered until the other side refuses it. */
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

  async refresh(): Promise<string> {
    this.#value = await newest(this.#path);
    return this.#value;
  }
}

/** Paths of all versions, newest first. */
async function versions(path: string): Promise<[string, ...string[]]> {
  const prefix = `${basename(path)}.v`;
  const folder = dirname(path);
  const numbers = (await readdir(folder))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a);
  const [first, ...rest] = numbers.map((number) => join(folder, `${prefix}${number}`));
  if (first === undefined) throw new Error(`${path}: there is no version of this secret, such as ${path}.v1`);
  return [first, ...rest];
}

async function readSecret(file: string): Promise<string> {
  const value = (await readFile(file, 'utf8')).trim();
  if (value === '') throw new Error(`${file}: the secret is empty`);
  return value;
}
