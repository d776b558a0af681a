import type { Problem } from '../src/errors/problem.js';
import { type Draft, draftOfText } from './draft.js';
import type { Environment } from './environment.js';
import { ENVIRONMENTS_FOLDER } from './environment-files.js';
import { allDrafts, type LoadOptions } from './load.js';
import { clashesAcross } from './rules/across.js';
import type { Settings } from './schema.js';

/** An environment of the project, as far as it could be read. */
export interface Neighbour {
  readonly name: string;
  readonly settings: Settings;
}

/** The environments of a project that run on one host. */
export function neighboursOn(host: string, { cwd }: LoadOptions): readonly Neighbour[] {
  return allDrafts(cwd).drafts.flatMap(({ name, settings }) =>
    settings?.host.docker === host ? [{ name, settings }] : [],
  );
}

/** An environment whose text is in no file yet, without a lock, and everything that is wrong with it in this project. */
export function judgeNewcomer(
  name: string,
  text: string,
  { cwd }: LoadOptions,
): { readonly environment: Environment | undefined; readonly problems: readonly Problem[] } {
  const file = `${ENVIRONMENTS_FOLDER}/${name}.yaml`;
  const draft: Draft = draftOfText(text, file);
  const clashes = clashesAcross([...allDrafts(cwd).drafts, draft]).filter((problem) => problem.file === file);
  const { settings } = draft;
  return {
    environment: settings && { name, file, settings, lock: undefined },
    problems: [...draft.problems, ...clashes],
  };
}
