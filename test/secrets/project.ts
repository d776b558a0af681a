import { loadEnvironment } from '../../config/load.js';
import { planLock } from '../../config/lock.js';
import { serialiseLock } from '../../config/lock-file.js';
import { FilesStore } from '../../src/secrets/files-store.js';
import { type KnownSecret, secretsOf } from '../../src/secrets/inventory.js';
import { promisesOf } from '../../stacks/promises.js';
import { MINIMAL, project, put } from '../config/project.js';

export const LOCK_FILE = 'config/environments/dev.lock.yaml';

/** A project whose environment `dev` is valid and locked, without any secret yet. */
export function lockedProject(): string {
  const cwd = project({ 'dev.yaml': MINIMAL });
  const environment = loadEnvironment('dev', { cwd });
  put(cwd, LOCK_FILE, serialiseLock(planLock(environment, promisesOf(environment.settings, 'dev')), 'dev'));
  return cwd;
}

export const storeOf = (cwd: string): FilesStore => new FilesStore(cwd, 'dev');

/** The secrets as the lock file and the store know them now. */
export const secretsNow = (cwd: string): readonly KnownSecret[] =>
  secretsOf(loadEnvironment('dev', { cwd }), storeOf(cwd), cwd);
