import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { draftOfText } from '../../config/draft.js';
import type { Environment } from '../../config/environment.js';
import { ENVIRONMENTS_FOLDER } from '../../config/environment-files.js';
import { engineAddress } from '../../config/fields.js';
import { planLock } from '../../config/lock.js';
import { lockFileOf, serialiseLock } from '../../config/lock-file.js';
import { judgeNewcomer } from '../../config/newcomer.js';
import { ENVIRONMENT_NAME } from '../../config/rules/names.js';
import { EnvironmentSchema } from '../../config/schema.js';
import { promisesOf } from '../../stacks/promises.js';
import { type Problem, throwProblems } from '../errors/problem.js';
import { type Choices, choose, showMemory, writeMemory } from './choices.js';
import { DEFAULT_ADDRESS } from './engine-address.js';
import { environmentFile, type FilePlan } from './environment-file.js';
import { portInUse } from './free.js';
import { cdktfProject, type NewFile, refuseExisting } from './project-files.js';
import { isLocal, type Survey, type SurveyOptions, survey } from './survey.js';

export interface NewEnvironmentOptions extends SurveyOptions {
  readonly name: string;
  readonly courses: readonly string[];
}

/** An environment that is not written yet, and how it came to be what it is. */
export interface NewEnvironment {
  readonly survey: Survey;
  readonly choices: Choices;
  readonly environment: Environment;
  /** In the order in which they are written. */
  readonly files: readonly NewFile[];
}

/** Make an environment for a host. Throws every problem of the name and the options at once; writes nothing. */
export async function newEnvironment(options: NewEnvironmentOptions): Promise<NewEnvironment> {
  const { name, courses, cwd, host } = options;
  const file = `${ENVIRONMENTS_FOLDER}/${name}.yaml`;
  const named = nameProblems(name);
  const problems = [
    ...named,
    ...hostProblems(host),
    ...(named.length > 0 ? [] : refuseExisting(cwd, [file, lockFileOf(file)])),
    ...courseProblems(courses),
  ];
  throwProblems(problems);

  const found = await survey(options);
  const defaults = EnvironmentSchema.parse(parse(environmentFile(bare(name, courses))));
  const choices = await choose(found, defaults, isLocal(found.engine.address) ? portInUse : async () => false);
  const text = environmentFile(filePlan(options, found, choices));
  const judged = judgeNewcomer(name, text, { cwd });
  // The file is not there yet, so that a line of it says nothing.
  throwProblems(judged.problems.map(({ line: _line, column: _column, ...problem }) => problem));
  const environment = judged.environment as Environment;
  const lock = planLock(environment, promisesOf(environment.settings, name));
  return {
    survey: found,
    choices,
    environment,
    files: [
      { file: lockFileOf(file), content: serialiseLock(lock, name) },
      { file, content: text },
      ...cdktfProject(cwd),
    ],
  };
}

function nameProblems(name: string): readonly Problem[] {
  if (ENVIRONMENT_NAME.pattern.test(name)) return [];
  const message = `${JSON.stringify(name)} is no name of an environment`;
  return [{ code: 'USAGE', message, remedy: `Use ${ENVIRONMENT_NAME.form}.` }];
}

function hostProblems(host: string | undefined): readonly Problem[] {
  if (host === undefined || (engineAddress.safeParse(host).success && URL.canParse(host))) return [];
  const message = `--host ${JSON.stringify(host)} is no address of a Docker engine`;
  return [{ code: 'USAGE', message, remedy: 'Use unix:///path, ssh://user@host or tcp://host:port.' }];
}

function courseProblems(courses: readonly string[]): readonly Problem[] {
  return draftOfText(environmentFile(bare('new', courses)), 'new.yaml').problems.map(({ message, remedy }) => ({
    code: 'USAGE',
    message: `--course: ${message}`,
    remedy,
  }));
}

const bare = (name: string, courses: readonly string[]): FilePlan => ({ name, courses, notes: [], memory: new Map() });

function filePlan({ name, courses, cwd }: NewEnvironmentOptions, found: Survey, choices: Choices): FilePlan {
  const { engine } = found;
  const { pool, port, memory } = choices;
  return {
    name,
    courses,
    schema: editorSchema(cwd),
    notes: notes(found, choices),
    ...(engine.address !== DEFAULT_ADDRESS && {
      docker: { value: engine.address, because: `from ${engine.origin ?? 'nobody'}` },
    }),
    ...(pool.instead && {
      networkPool: { value: pool.value, because: `${pool.instead.what} belongs to ${pool.instead.by}` },
    }),
    ...(port.instead && {
      port: { value: port.value, because: `${port.instead.what} belongs to ${port.instead.by}` },
    }),
    memory: new Map([...(memory?.limits ?? [])].map(([service, limit]) => [service, writeMemory(limit)])),
    ...(memory?.monitored === false && { unmonitored: 'no memory is left for it' }),
  };
}

function notes({ found, gpus, neighbours }: Survey, { memory }: Choices): readonly string[] {
  if ('unreachable' in found || !memory) return ['Made by ragdock init. No engine answered, so it fits any host.'];
  const others = neighbours.map(({ name }) => name).join(', ');
  const rest = others === '' ? 'the rest is for the system' : `the rest is for the system and ${others}`;
  return [
    `Made by ragdock init for Docker ${found.version} with ${showMemory(found.memoryMiB)} of memory.`,
    ...(memory.limits.size > 0
      ? [`Memory limits below the defaults make the services fit, ${showMemory(memory.total)} in all: ${rest}.`]
      : []),
    ...(gpus.length > 0 ? [`Not used here: ${gpus.join(', ')}. A model with engine: vllm runs on cards.`] : []),
  ];
}

/** The schema for editors as seen from the environments' folder: that of this checkout, or of the installed package. */
function editorSchema(cwd: string): string | undefined {
  return ['config/schema.json', 'node_modules/ragdock/config/schema.json']
    .filter((file) => existsSync(join(cwd, file)))
    .map((file) => (file.startsWith('config/') ? '../schema.json' : `../../${file}`))[0];
}
