import { describe, expect, test } from 'vitest';
import { PLACEHOLDERS, placeholderOf } from '../../src/cli/completion/candidates.js';
import { commandsBelow, describedProgram, fullName } from '../../src/cli/reference.js';
import { MINIMAL, project } from '../config/project.js';
import { ragdock } from './terminal.js';

const PROJECT = {
  'dev.yaml': MINIMAL,
  'dev.lock.yaml': '',
  'lab.yaml': MINIMAL,
  'broken.yaml': 'schema: [',
  'base.yaml': 'template: true\n',
};

/** The kind and the words that a shell is told; the last word is the one that is typed. */
async function asked(...words: string[]) {
  const { exit, stdout, stderr } = await ragdock(['complete', '--', ...words], { cwd: project(PROJECT) });
  expect([exit, stderr]).toEqual([0, '']);
  const [kind, ...lines] = stdout.trimEnd().split('\n');
  return kind === 'files' ? kind : lines.map((line) => line.split('\t')[0]);
}

const ENVIRONMENTS = ['broken', 'dev', 'lab'];

describe('what may come next', () => {
  test.each<[string, string[], string[] | 'files']>([
    ['the beginning of a command', ['s'], ['secrets', 'smoke', 'status']],
    ['the commands of a group', ['secrets', ''], ['init', 'list', 'check', 'set', 'rotate', 'fetch', 'forget', 'help']],
    ['the command that help is asked for', ['help', 'va'], ['validate']],
    ['environments, without templates and lock files', ['lock', ''], ENVIRONMENTS],
    ['the beginning of an environment', ['smoke', 'd'], ['dev']],
    ['one environment after the other', ['validate', 'dev', ''], ENVIRONMENTS],
    ['the environment of an option', ['ask', 'why?', '--env', ''], ENVIRONMENTS],
    ['the environment of an option, in one word', ['ask', '--env=l'], ['--env=lab']],
    ['the environment of an option, as bash cuts it', ['ask', '--env', '=', 'l'], ['lab']],
    ['the same with nothing behind the =', ['ask', '--env', '='], ENVIRONMENTS],
    ['an environment by its file', ['lock', './'], 'files'],
    ['files', ['model', 'import', ''], 'files'],
    ['files of an argument that may repeat', ['ingest', 'a.md', 'b'], 'files'],
    ['the file of an option', ['smoke', 'dev', '--junit', ''], 'files'],
    ['the file of an option, in one word', ['smoke', '--json=r'], 'files'],
    ['options', ['lock', '--'], ['--check', '--accept', '--help']],
    ['options that are not given yet', ['lock', 'dev', '--check', '--'], ['--accept', '--help']],
    ['options of the program', ['--'], ['--version', '--help']],
    ['an option behind values that may repeat', ['init', '--course', 'a', '--h'], ['--host', '--help']],
    ['the choices of an argument', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['no more than a command takes', ['lock', 'dev', ''], []],
    ['nothing for a text of one’s own', ['ask', ''], []],
    ['nothing for a value of one’s own', ['ingest', '--collection', ''], []],
    ['nothing for values that may repeat', ['lock', '--accept', 'a', ''], []],
    ['nothing behind a command that does not exist', ['lokc', ''], []],
    ['no options behind --', ['lock', '--', '--'], []],
    ['arguments behind --', ['lock', '--', ''], ENVIRONMENTS],
  ])('%s', async (_name, words, expected) => {
    expect(await asked(...words)).toEqual(expected);
  });

  test('commands are told with what they do, and what asks is not among them', async () => {
    const { stdout } = await ragdock(['complete', '--', ''], { cwd: project() });
    expect(stdout).toMatch(
      /^words\nup\trun the whole stack in this process\ninit\tmake an environment for this host, and its lock file\n/,
    );
    expect(stdout).toMatch(/^completion\t/m);
    expect(stdout).not.toMatch(/^complete\t/m);
  });

  test('a folder without environments has none', async () => {
    const cwd = project();
    expect((await ragdock(['complete', '--', 'lock', ''], { cwd })).stdout).toBe('words\n');
  });

  test('every value is one whose source is known', () => {
    const wanted = commandsBelow(describedProgram()).flatMap((command) =>
      [...command.registeredArguments, ...command.options.filter((option) => option.required || option.optional)]
        .filter(({ argChoices }) => !argChoices)
        .map((value) => `${fullName(command)} ${placeholderOf(value)}`),
    );
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((name) => !((name.split(' ').at(-1) ?? '') in PLACEHOLDERS))).toEqual([]);
  });
});

describe('services', () => {
  const words = async (cwd: string, ...typed: string[]) =>
    (await ragdock(['complete', '--', ...typed], { cwd })).stdout.replaceAll('\t', '').split('\n').slice(1, -1);

  test('of the environment that is named, its jobs too', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    await ragdock(['lock', 'dev'], { cwd });

    expect(await words(cwd, 'logs', 'dev', 'q')).toEqual(['qdrant', 'qdrant-collections', 'qdrant-ownership']);
    expect(await words(cwd, 'logs', 'dev', '--follow', 'qdrant', 'web')).toEqual(['web-bot']);
  });

  test('of one that cannot be read are none', async () => {
    expect(await words(project(PROJECT), 'logs', 'broken', '')).toEqual([]);
  });
});

describe('ragdock completion', () => {
  test.each(['bash', 'zsh', 'fish'])('prints a script for %s that asks the command that is typed', async (shell) => {
    const { exit, stdout, stderr } = await ragdock(['completion', shell], { cwd: '/' });
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\bcomplete -- /);
    expect(stdout).toMatch(new RegExp(`^# Completion of ragdock for ${shell}\\.`, 'm'));
  });

  test('knows no other shells', async () => {
    const { exit, stderr } = await ragdock(['completion', 'tcsh'], { cwd: '/' });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^USAGE\n.*bash, zsh, fish/);
  });
});
