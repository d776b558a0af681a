import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changed, MINIMAL, project, put } from '../config/project.js';
import { LOCK_FILE, lockedProject } from '../secrets/project.js';
import { ragdock } from './terminal.js';

describe('ragdock validate', () => {
  test('names every valid environment and ends with 0', async () => {
    const cwd = lockedProject();
    expect(await ragdock(['validate'], { cwd })).toEqual({
      exit: 0,
      stdout: 'valid  dev  config/environments/dev.yaml\n',
      stderr: '',
    });
    for (const name of ['dev', 'config/environments/dev.yaml', './config/environments/dev.yaml']) {
      expect((await ragdock(['validate', name], { cwd })).exit).toBe(0);
    }
  });

  test('warns a pipeline of a state that is a file, beside the report', async () => {
    const cwd = lockedProject();
    const { exit, stdout, stderr } = await ragdock(['validate', '--json'], { cwd, env: { CI: 'true' } });
    expect([exit, JSON.parse(stdout).valid]).toEqual([0, true]);
    expect(stderr).toMatch(/^warning {2}dev: CI is set, and the state is a file of this machine; .*`state:`.*\n$/);
  });

  test('tells the problems of all files and of their locks at once, and ends with 2', async () => {
    const cwd = lockedProject();
    put(cwd, LOCK_FILE, readFileSync(join(cwd, LOCK_FILE), 'utf8').replace(/^ {2}rag-api--qdrant: .*\n/m, ''));
    put(
      cwd,
      'config/environments/other.yaml',
      `${changed(['[demo]', '[]'], ['schema: 1', 'schema: 3'])}host: {docker: "ssh://me@other"}\n`,
    );
    put(cwd, 'config/environments/third.yaml', 'schema: [');
    put(cwd, 'config/environments/elsewhere.yaml', `${MINIMAL}host: {docker: "ssh://me@elsewhere"}\n`);
    const { exit, stdout, stderr } = await ragdock(['validate'], { cwd });
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr.split('\n').filter((line) => /^[A-Z]/.test(line))).toEqual([
      'CONFIG_SCHEMA  config/environments/other.yaml:1:9  schema',
      'CONFIG_SCHEMA  config/environments/other.yaml:12:14  services.api.courses',
      'YAML_SYNTAX  config/environments/third.yaml:1:10',
      'LOCK_STALE  config/environments/dev.lock.yaml:4:1  networks.rag-api--qdrant',
      'LOCK_MISSING  config/environments/elsewhere.yaml',
    ]);
    expect(stderr).toMatch(/\n5 problems\n$/);
  });

  test('takes the files that are named alone', async () => {
    const cwd = lockedProject();
    put(cwd, 'config/environments/broken.yaml', '');
    expect((await ragdock(['validate', 'dev'], { cwd })).exit).toBe(0);
    expect((await ragdock(['validate', 'dev', 'broken'], { cwd })).exit).toBe(2);
  });

  test('tells a lock file that is damaged', async () => {
    const cwd = lockedProject();
    put(cwd, LOCK_FILE, 'lock: 1\n');
    const { exit, stderr } = await ragdock(['validate'], { cwd });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^LOCK_INVALID {2}config\/environments\/dev\.lock\.yaml:1:1 {2}networks$/m);
  });

  test('prints all settings with their defaults, as a file that is valid', async () => {
    const cwd = lockedProject();
    const { exit, stdout } = await ragdock(['validate', '--print'], { cwd });
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^---\n# config\/environments\/dev\.yaml\nschema: 1\n/);
    put(cwd, 'config/environments/dev.yaml', stdout.replace(/^---\n/, ''));
    expect((await ragdock(['validate', '--print'], { cwd })).stdout).toBe(stdout);
  });

  test('gives the same as data', async () => {
    const cwd = lockedProject();
    const good = await ragdock(['validate', '--json', '--print'], { cwd });
    expect(good).toMatchObject({ exit: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({
      valid: true,
      environments: [{ name: 'dev', file: 'config/environments/dev.yaml', settings: { schema: 1 } }],
      problems: [],
    });

    put(cwd, 'config/environments/dev.yaml', changed(['[demo]', '[]']));
    const bad = await ragdock(['validate', '--json'], { cwd });
    expect(bad).toMatchObject({ exit: 2, stderr: '' });
    expect(JSON.parse(bad.stdout)).toEqual({
      valid: false,
      environments: [],
      problems: [
        {
          code: 'CONFIG_SCHEMA',
          file: 'config/environments/dev.yaml',
          line: 12,
          column: 14,
          path: 'services.api.courses',
          message: 'expected a list that is not empty, got a list',
          remedy: 'Use a value of the kind that the message names; `ragdock validate --print` shows all settings.',
        },
      ],
    });
  });

  test('says so when there is no environment', async () => {
    const { exit, stderr } = await ragdock(['validate'], { cwd: project() });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^ENVIRONMENT_UNKNOWN\n {4}config\/environments holds no environment\n/);
  });
});
