import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { SecretStore, StoredSecret } from './store.js';

/** Folder of all secrets of a project, relative to it. */
export const SECRETS_FOLDER = '.ragdock/secrets';

/** Secrets as files `NAME.vN` of one folder, readable to their owner alone, without a newline at the end. */
export class FilesStore implements SecretStore {
  /** Absolute path of the environment's folder. */
  readonly folder: string;
  readonly #root: string;

  /** @param project folder of the project */
  constructor(project: string, environment: string) {
    this.#root = join(project, SECRETS_FOLDER);
    this.folder = join(this.#root, environment);
  }

  path(name: string, version: number): string {
    return join(this.folder, `${name}.v${version}`);
  }

  read(name: string, version: number): string | undefined {
    try {
      return readFileSync(this.path(name, version), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  write(name: string, version: number, value: string, replace = false): boolean {
    this.#makeFolder();
    const path = this.path(name, version);
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      writeDurably(temporary, value);
      // A link fails where a file is already, so that of two runs at once the second one finds out.
      if (replace) renameSync(temporary, path);
      else linkSync(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      if (existsSync(temporary)) unlinkSync(temporary);
    }
  }

  remove(name: string, version: number): void {
    rmSync(this.path(name, version), { force: true });
  }

  list(): readonly StoredSecret[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .flatMap((file) => {
        const [, name, version] = /^([a-z][a-z0-9-]*)\.v([1-9]\d*)$/.exec(file) ?? [];
        return name === undefined ? [] : [{ name, version: Number(version) }];
      })
      .sort((a, b) => (a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1));
  }

  #makeFolder(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    // The mode of an existing folder stays as it is, and the mask may have taken bits of a new one.
    for (const folder of [this.#root, this.folder]) chmodSync(folder, 0o700);
    const ignore = join(this.#root, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '# Secrets are never committed.\n*\n', { mode: 0o600 });
  }
}

/** A new file that nobody else may read, on the disk before it is named. */
function writeDurably(path: string, value: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(descriptor, value, 'utf8');
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
