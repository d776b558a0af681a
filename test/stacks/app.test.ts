import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { inProject, runApp } from '../support/project.js';

const FIVE_FAULTS = `schema: 1
services:
  postgres:
    memory: lots
    settings:
      work_mem: 16
  llm:
    main:
      engine: llama.cpp
      model: { name: m, file: m.gguf, url: https://models.example/m.gguf, sha256: abc }
  api:
    courses: [demo]
    lmit: 3
  webBot:
    publish: { port: 80800 }
`;

/** Line, path and a part of the message of each fault. */
const FAULTS = [
  [4, 'services.postgres.memory', 'lots'],
  [6, 'services.postgres.settings.work_mem', '16'],
  [10, 'services.llm.main.model.sha256', 'abc'],
  [13, 'services.api.lmit', 'limits'],
  [15, 'services.webBot.publish.port', '80800'],
] as const;

/** A project of these environment files, with the code of this one. */
function project(environments: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'config/environments'), { recursive: true });
  for (const [name, text] of Object.entries(environments)) {
    writeFileSync(join(folder, 'config/environments', name), text);
  }
  for (const part of ['src', 'node_modules', 'package.json', 'cdktf.json']) {
    symlinkSync(join(ROOT, part), join(folder, part));
  }
  return folder;
}

const environment = (name: string): string => readFileSync(join(ROOT, 'config/environments', name), 'utf8');

function expectFiveProblems(text: string): void {
  for (const [line, path, what] of FAULTS) {
    const problem = new RegExp(
      `config/environments/bad\\.yaml:${line}:\\d+ +${path.replaceAll('.', '\\.')}\\n.*\\n +→ .+`,
    );
    expect(text).toMatch(problem);
    expect(problem.exec(text)?.[0]).toContain(what);
  }
  expect(text).toContain('5 problems');
  expect(text).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(text).not.toContain('node_modules');
}

describe('five faults in one file', () => {
  test('are five problems and exit code 2, without a stack trace and without output', async () => {
    const folder = project({ 'bad.yaml': FIVE_FAULTS });

    const { code, stdout, stderr } = await runApp(folder);

    expect(code).toBe(2);
    expectFiveProblems(stderr);
    expect(stdout).toBe('');
    expect(existsSync(join(folder, 'cdktf.out/stacks/bad'))).toBe(false);
    expect(existsSync(join(folder, 'state'))).toBe(false);
  });

  test('are shown by cdktf synth as well', async () => {
    const folder = project({ 'bad.yaml': FIVE_FAULTS });

    const { code, stdout, stderr } = await inProject(folder, ['node_modules/.bin/cdktf', 'synth'], {
      CHECKPOINT_DISABLE: '1',
      CI: '1',
    });

    expect(code).not.toBe(0);
    expectFiveProblems(`${stdout}${stderr}`);
  }, 120_000);
});

test('an environment without a lock file is told how to get one', async () => {
  const folder = project({ 'dev.yaml': environment('dev.yaml') });

  const { code, stderr } = await runApp(folder);

  expect(code).toBe(2);
  expect(stderr).toContain('LOCK_MISSING  config/environments/dev.yaml');
  expect(stderr).toContain('Run `ragdock lock dev` and commit the file that it writes.');
});

test('a broken environment stops all, and RAGDOCK_ENV takes the one that is sound', async () => {
  const folder = project({
    'bad.yaml': FIVE_FAULTS,
    'dev.yaml': environment('dev.yaml'),
    'dev.lock.yaml': environment('dev.lock.yaml'),
  });

  const all = await runApp(folder);
  expect(all.code).toBe(2);
  expect(all.stderr).toContain('RAGDOCK_ENV=<name> takes one environment alone');
  expect(existsSync(join(folder, 'cdktf.out/stacks/dev'))).toBe(false);

  const one = await runApp(folder, { RAGDOCK_ENV: 'dev' });
  expect(one).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(join(folder, 'cdktf.out/stacks/dev/cdk.tf.json'))).toBe(true);
});

test('the state file is there before Terraform makes it, and private', async () => {
  const folder = project({ 'dev.yaml': environment('dev.yaml'), 'dev.lock.yaml': environment('dev.lock.yaml') });

  expect(await runApp(folder)).toMatchObject({ code: 0, stderr: '' });

  expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'state/dev.tfstate')).mode & 0o777).toBe(0o600);
});

test('a state elsewhere leaves no file; a file of any name is private, and warned of in a pipeline', async () => {
  const lock = environment('dev.lock.yaml');
  const shared = environment('dev.yaml').replace('shared: false', 'shared: true');
  const folder = project({
    'dev.yaml': `${shared}\nstate: { backend: pg, config: { schema_name: dev } }\n`,
    'dev.lock.yaml': lock,
  });

  expect(await runApp(folder, { CI: 'true' })).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(join(folder, 'state'))).toBe(false);

  const local = `${shared}\nstate: { backend: local, config: { path: kept/here.tfstate } }\n`;
  writeFileSync(join(folder, 'config/environments/dev.yaml'), local);
  const { code, stderr } = await runApp(folder, { CI: 'true' });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^warning {2}dev: CI is set, and the state is a file of this machine;/);
  expect(statSync(join(folder, 'kept')).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'kept/here.tfstate')).mode & 0o777).toBe(0o600);
  const { terraform } = JSON.parse(readFileSync(join(folder, 'cdktf.out/stacks/dev/cdk.tf.json'), 'utf8'));
  expect(terraform.backend).toEqual({ local: { path: '../../../kept/here.tfstate' } });
}, 120_000);
