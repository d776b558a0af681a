import { statSync } from 'node:fs';
import type { Environment } from '../../config/environment.js';
import { stateFileOf } from '../../config/state.js';
import { isKnown } from '../logs/masker.js';
import { FilesStore } from '../secrets/files-store.js';
import { secretsOf } from '../secrets/inventory.js';
import { seeLock } from './see-lock.js';

/** Names of the secrets of an environment whose running values this machine cannot know, and so cannot mask. */
export function unknownSecrets(environment: Environment, project: string): readonly string[] {
  const { name, settings } = environment;
  const described = seeLock(environment).environment;
  if (!described) return [];
  const stateFile = stateFileOf(settings.state, name, project);
  const deployedHere = stateFile !== undefined && (statSync(stateFile, { throwIfNoEntry: false })?.size ?? 0) > 0;
  return secretsOf(described, new FilesStore(project, name), project)
    .filter((secret) => !isKnown(secret, deployedHere))
    .map((secret) => secret.name);
}
