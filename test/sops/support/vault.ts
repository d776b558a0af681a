import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { parse } from 'yaml';
import { type Outcome, ragdock } from '../../cli/terminal.js';
import { put } from '../../config/project.js';
import { LOCK_FILE, lockedProject, secretsNow } from '../../secrets/project.js';

/** The encrypted file of `dev`. */
export const FILE = 'config/secrets/dev.sops.yaml';

/** A key pair of age. */
export interface Key {
  /** The file with the private half. */
  readonly file: string;
  /** The public half. */
  readonly recipient: string;
}

/** A project whose values are in a file that sops encrypts, and whoever uses it. */
export class Vault {
  readonly cwd = lockedProject();
  /** The key that `.sops.yaml` names, and that this machine has. */
  readonly key = this.newKey('own');

  /** @param rules of `.sops.yaml`; undefined: for the key alone, null: there is none */
  constructor(rules?: string | null, more = 'secrets: {store: sops}\n') {
    const file = join(this.cwd, 'config/environments/dev.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}${more}`);
    if (rules !== null) this.rules(rules ?? `- age: ${this.key.recipient}\n`);
    // Keys of whoever runs the tests are none of theirs.
    mkdirSync(join(this.cwd, 'home'));
    for (const [name, value] of [['HOME', join(this.cwd, 'home')] as const, ['XDG_CONFIG_HOME', undefined] as const]) {
      vi.stubEnv(name, value);
    }
    vi.stubEnv('SOPS_AGE_KEY', undefined);
    this.use(this.key);
  }

  rules(rules: string): void {
    put(this.cwd, '.sops.yaml', `creation_rules:\n${rules.replace(/^(?=.)/gm, '  ')}`);
  }

  newKey(name: string): Key {
    const file = join(this.cwd, `${name}.key`);
    execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' });
    return { file, recipient: execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim() };
  }

  /** The key that this machine has; undefined for none. */
  use(key: Key | undefined): void {
    vi.stubEnv('SOPS_AGE_KEY_FILE', key?.file);
  }

  /** `ragdock secrets …`; a value is in nothing that it writes. */
  async secrets(args: readonly string[], stdin?: string): Promise<Outcome> {
    const outcome = await ragdock(
      ['secrets', ...args],
      stdin === undefined ? { cwd: this.cwd } : { cwd: this.cwd, stdin },
    );
    for (const value of this.#known()) {
      if (`${outcome.stdout}${outcome.stderr}`.includes(value))
        throw new Error(`secrets ${args.join(' ')} prints a value`);
    }
    return outcome;
  }

  /** What sops itself decrypts, in the order of the file. */
  values(): Readonly<Record<string, string>> {
    return JSON.parse(this.sops('decrypt', '--output-type', 'json', FILE)) as Record<string, string>;
  }

  sops(...args: readonly string[]): string {
    return execFileSync('sops', args, { cwd: this.cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Put one value in place as somebody does who has sops alone. */
  put(key: string, value: unknown): void {
    this.sops('set', FILE, JSON.stringify([key]), JSON.stringify(value));
  }

  /**
   * From now on note how sops is called: its arguments, its variables, and what lies in the project then. What comes
   * back ends that, and gives one text for each call.
   */
  watch(): () => readonly string[] {
    const seen = join(this.cwd, 'seen');
    const bin = join(this.cwd, 'bin');
    mkdirSync(seen);
    const sops = execFileSync('sh', ['-c', 'command -v sops'], { encoding: 'utf8' }).trim();
    put(
      this.cwd,
      'bin/sops',
      `#!/bin/sh\nexec 3>"${seen}/$$"\nprintf '%s\\n' "$@" >&3\nenv >&3\ncat config/secrets/* config/secrets/.*.yaml >&3 2>&1\nexec ${sops} "$@"\n`,
    );
    chmodSync(join(bin, 'sops'), 0o755);
    const { PATH } = process.env;
    vi.stubEnv('PATH', `${bin}:${PATH}`);
    return () => {
      vi.stubEnv('PATH', PATH);
      return readdirSync(seen).map((file) => readFileSync(join(seen, file), 'utf8'));
    };
  }

  get text(): string {
    return readFileSync(join(this.cwd, FILE), 'utf8');
  }

  set text(text: string) {
    put(this.cwd, FILE, text);
  }

  get lock(): string {
    return readFileSync(join(this.cwd, LOCK_FILE), 'utf8');
  }

  get names(): readonly string[] {
    return secretsNow(this.cwd).map(({ name }) => name);
  }

  /** The entries of the file as they are, encrypted. */
  get entries(): Readonly<Record<string, unknown>> {
    return parse(this.text) as Record<string, unknown>;
  }

  #known(): readonly string[] {
    try {
      return Object.values(this.values()).filter((value) => typeof value === 'string' && value.length > 5);
    } catch {
      return [];
    }
  }
}
