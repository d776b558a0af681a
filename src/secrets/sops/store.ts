import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RagdockError, throwProblems } from '../../errors/problem.js';
import type { SecretStore, StoredSecret } from '../store.js';
import { encryptedFile, readEncryptedFile } from './encrypted-file.js';
import { runSops, type SopsOptions } from './program.js';

/** Name and version in a key of the file: `qdrant-api-key.v1`. */
const KEY = /^([a-z][a-z0-9-]*)\.v([1-9]\d*)$/;

const keyOf = (name: string, version: number): string => `${name}.v${version}`;

/**
 * Secrets as values `NAME.vN` of one file that sops encrypts. The values are in memory only; what is written is on
 * the disk after `save`, encrypted, and sops is told it by its standard input.
 */
export class SopsStore implements SecretStore {
  /**
   * Decrypt the file; one that is not there has no values.
   *
   * @throws RagdockError SOPS_FILE_CLEAR for a clear value, SOPS_FILE_DAMAGED, and what `runSops` throws
   */
  static async open(options: SopsOptions): Promise<SopsStore> {
    const { exists, problems, text, recipients } = readEncryptedFile(options.cwd, options.file);
    throwProblems(problems);
    const withKeys = { ...options, recipients };
    return new SopsStore(withKeys, text, exists ? await decrypt(withKeys) : new Map());
  }

  readonly #options: SopsOptions;
  /** The file as it was read, or written last. */
  #before: string;
  readonly #values: Map<string, string>;
  /** Keys that are to be written, and those that are to go. */
  readonly #changed = new Set<string>();

  private constructor(options: SopsOptions, before: string, values: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#before = before;
    this.#values = new Map(values);
  }

  path(): string {
    return join(this.#options.cwd, this.#options.file);
  }

  read(name: string, version: number): string | undefined {
    return this.#values.get(keyOf(name, version));
  }

  write(name: string, version: number, value: string, replace = false): boolean {
    const key = keyOf(name, version);
    if (this.#values.has(key) && !replace) return false;
    if (this.#values.get(key) === value) return true;
    this.#values.set(key, value);
    this.#changed.add(key);
    return true;
  }

  remove(name: string, version: number): void {
    const key = keyOf(name, version);
    if (this.#values.delete(key)) this.#changed.add(key);
  }

  list(): readonly StoredSecret[] {
    return [...this.#values.keys()]
      .flatMap((key) => {
        const [, name, version] = KEY.exec(key) ?? [];
        return name === undefined ? [] : [{ name, version: Number(version) }];
      })
      .sort((a, b) => (a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1));
  }

  /**
   * Write what has changed; order, comments and every other value stay as they are. The file is replaced in one step.
   *
   * @throws RagdockError SOPS_FILE_CLEAR when sops would leave a value clear; the file stays as it was. SOPS_FAILED
   * when somebody else has changed it in the meantime, and what `runSops` throws.
   */
  async save(): Promise<void> {
    if (this.#changed.size === 0) return;
    const { cwd, file } = this.#options;
    const path = this.path();
    // sops writes in place, and tells the format by the ending.
    const attempt = join(dirname(file), `.${randomBytes(6).toString('hex')}.${basename(file)}`);
    mkdirSync(dirname(path), { recursive: true });
    try {
      if (this.#before === '') writeFileSync(join(cwd, attempt), await this.#encrypted());
      else await this.#change(attempt);
      const text = readFileSync(join(cwd, attempt), 'utf8');
      throwProblems(encryptedFile(text, file).problems);
      if (readEncryptedFile(cwd, file).text !== this.#before) throw changedMeanwhile(file);
      // The lock file with the fingerprints is on the disk soon; a crash must not leave it without their values.
      sync(join(cwd, attempt));
      renameSync(join(cwd, attempt), path);
      sync(dirname(path));
      this.#before = text;
      this.#changed.clear();
    } finally {
      rmSync(join(cwd, attempt), { force: true });
    }
  }

  /** A new file: sops takes the recipients from the rule for its path. It is judged before a byte of it is on the disk. */
  async #encrypted(): Promise<string> {
    const { file } = this.#options;
    const clear = JSON.stringify(Object.fromEntries([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1))));
    const args = ['encrypt', '--input-type', 'json', '--output-type', 'yaml', '--filename-override', file];
    const text = await runSops(args, this.#options, clear, [...this.#values.values()]);
    throwProblems(encryptedFile(text, file).problems);
    return text;
  }

  async #change(attempt: string): Promise<void> {
    copyFileSync(this.path(), join(this.#options.cwd, attempt));
    for (const key of [...this.#changed].sort()) {
      const value = this.#values.get(key);
      const at = JSON.stringify([key]);
      if (value === undefined) await runSops(['unset', attempt, at], this.#options);
      else await runSops(['set', '--value-stdin', attempt, at], this.#options, JSON.stringify(value), [value]);
    }
  }
}

/** What is in a file, or which files are in a folder, is on the disk when this returns. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function changedMeanwhile(file: string): RagdockError {
  const message = 'another program has changed the file in the meantime; nothing was written';
  return new RagdockError({ code: 'SOPS_FAILED', file, message, remedy: 'Run the command again.' });
}

async function decrypt(options: SopsOptions): Promise<ReadonlyMap<string, string>> {
  const { file } = options;
  const values = JSON.parse(await runSops(['decrypt', '--output-type', 'json', file], options)) as object;
  const entries = Object.entries(values).filter(([key]) => KEY.test(key));
  throwProblems(
    entries
      .filter(([, value]) => typeof value !== 'string')
      .map(([path]) => ({
        code: 'SOPS_FILE_DAMAGED',
        file,
        path,
        message: 'the encrypted value is a number or another thing than text',
        remedy: 'Put it in quotes with `sops edit`; YAML takes 123 for a number.',
      })),
  );
  return new Map(entries as [string, string][]);
}
