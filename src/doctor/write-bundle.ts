import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Environment } from '../../config/environment.js';
import { lockFileOf } from '../../config/lock-file.js';
import { writePrivately } from '../../config/write-file.js';
import { RagdockError } from '../errors/problem.js';
import { codeOf } from '../rag/failure.js';
import { type BundledFile, type BundleProps, bundledFiles, packed } from './bundle.js';
import { unknownSecrets } from './unknown-secrets.js';

export interface BundleRequest extends Pick<BundleProps, 'evidence' | 'findings' | 'secrets'> {
  readonly environment: Environment;
  /** Absolute path of the project's folder. */
  readonly project: string;
  /** Path of the file, from the project's folder on. */
  readonly file: string;
  /** Version of this package. */
  readonly version: string;
  /** Whether to write it although some secrets are not known here. */
  readonly allowUnmasked: boolean;
}

/** A bundle as it was written. */
export interface WrittenBundle {
  readonly files: readonly BundledFile[];
  /** Names of secrets that this machine does not know, and that were not masked. */
  readonly unknown: readonly string[];
}

/**
 * Write a bundle, readable to its owner alone; an old one of this name is replaced at once, or not at all.
 *
 * @throws RagdockError LOGS_UNMASKABLE, DOCTOR_BUNDLE_UNWRITABLE
 */
export async function writeBundle(request: BundleRequest): Promise<WrittenBundle> {
  const { environment, project, file, version, allowUnmasked, ...rest } = request;
  const unknown = unknownSecrets(environment, project);
  if (unknown.length > 0 && !allowUnmasked) {
    throw new RagdockError({
      code: 'LOGS_UNMASKABLE',
      path: environment.name,
      message: `this machine does not know ${unknown.join(', ')}, and the logs may hold them`,
    });
  }
  const now = new Date();
  const files = bundledFiles({
    ...rest,
    unknown,
    files: Object.fromEntries(
      [environment.file, lockFileOf(environment.file)].flatMap((path) => {
        const text = textOf(resolve(project, path));
        return text === undefined ? [] : [[basename(path), text] as const];
      }),
    ),
    about: { ragdock: version, node: process.version, platform: `${process.platform} ${process.arch}` },
    now,
  });
  try {
    writePrivately(resolve(project, file), await packed(files, now));
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    const problem = { code: 'DOCTOR_BUNDLE_UNWRITABLE', path: file, message: error.message } as const;
    throw new RagdockError(problem, { cause: error });
  }
  return { files, unknown };
}

/** Undefined where there is none: an environment may have no lock file yet. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
