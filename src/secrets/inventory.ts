import { relative } from 'node:path';
import type { Environment } from '../../config/environment.js';
import { lockOf } from '../../config/lock-file.js';
import type { SecretStore } from './store.js';

/** One secret of an environment: what the lock file promises of it, and what the store holds. */
export interface KnownSecret {
  readonly name: string;
  /** The version in force. */
  readonly version: number;
  /** Fingerprint of the promised value. Undefined: none has been made yet. */
  readonly fingerprint: string | undefined;
  readonly value: string | undefined;
  /** Path of the value's file as problems show it, relative to the project. */
  readonly file: string;
}

/** Every secret that the environment's lock file names, sorted by name, with the stored value. */
export function secretsOf(environment: Environment, store: SecretStore, cwd: string): readonly KnownSecret[] {
  return Object.entries(lockOf(environment).secrets)
    .map(([name, { version, fingerprint }]) => ({
      name,
      version,
      fingerprint,
      value: store.read(name, version),
      file: relative(cwd, store.path(name, version)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
