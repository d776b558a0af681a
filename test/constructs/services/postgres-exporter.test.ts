import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Postgres, PostgresExporter, PostgresRoles } from '../../../constructs/services/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService, failureOf } from '../../support/workloads.js';

const { container, files } = synthesiseWorkloads((stack) => {
  const postgres = new Postgres(stack, 'postgres', { database: 'ml_db' });
  const role = postgres.role('postgres_exporter', { inTurn: true });
  new PostgresRoles(stack, 'postgres-roles', { postgres, roles: [{ endpoint: role, grants: 'monitor' }] });
  new PostgresExporter(stack, 'postgres-exporter', { role });
});

test('logs in as a role of its own, with the password in a file', () => {
  expect(container('postgres-exporter').env).toEqual(['DATA_SOURCE_URI=test-postgres:5432/ml_db?sslmode=disable']);
  expect(container('postgres-exporter').entrypoint.slice(-3)).toEqual([
    'postgres_exporter_*',
    '/run/secrets/postgres-postgres-exporter-password',
    '/bin/postgres_exporter',
  ]);
});

/** As Terraform hands it to the engine. */
const unescaped = (argument: string): string => argument.replaceAll('$${', '${');

describe('the start script', () => {
  /** The container's entrypoint with a program that does what `program` says, a piece of sh. */
  function prepare(program: string, user = 'postgres_exporter_*') {
    const folder = temporaryFolder();
    const path = join(folder, 'password');
    const executable = join(folder, 'exporter');
    writeFileSync(executable, `#!/bin/sh\n${program}\n`);
    chmodSync(executable, 0o755);
    const entrypoint: string[] = container('postgres-exporter').entrypoint;
    const quick = entrypoint.map((argument) => unescaped(argument).replace('sleep 3', 'sleep 0.1'));
    return { path, command: [...quick.slice(0, -3), user, path, executable] };
  }
  const SAYS = 'echo "as $DATA_SOURCE_USER with $(cat "$DATA_SOURCE_PASS_FILE")"';

  test.each([
    [1, 'postgres_exporter_*', 'as postgres_exporter_1 with one'],
    [2, 'postgres_exporter_*', 'as postgres_exporter_2 with one'],
    [10, 'postgres_exporter_*', 'as postgres_exporter_2 with one'],
    [2, 'someone', 'as someone with one'],
  ])('hands on version %i for %s, and how the program ended', async (version, user, said) => {
    const { path, command } = prepare(`${SAYS}; exit 7`, user);
    writeFileSync(`${path}.v${version}`, 'one');
    writeFileSync(`${path}.v0`, 'older');
    expect(await run(command)).toMatchObject({ code: 7, stdout: `${said}\n` });
  });

  test('starts the program again with a newer version, and only then', async () => {
    // It says who it is once its trap is set: an end asked for in between would not be seen.
    const { path, command } = prepare(
      `trap 'echo ended; exit 0' TERM; ${SAYS}; touch "$0.started"; while :; do sleep 0.1; done`,
    );
    writeFileSync(`${path}.v1`, 'one');
    const running = run(command, { signalOn: { says: 'with two', signal: 'SIGTERM' } });
    await expect.poll(() => existsSync(`${command.at(-1)}.started`), { timeout: 8_000 }).toBe(true);
    // Several of its looks: a program that was started again with the same version would say so a second time.
    await delay(700);
    writeFileSync(`${path}.v2`, 'two');
    expect((await running).stdout).toBe(
      'as postgres_exporter_1 with one\nended\nas postgres_exporter_2 with two\nended\n',
    );
  });

  test('starts nothing without a password', async () => {
    const { path, command } = prepare(SAYS);
    expect(await run(command)).toMatchObject({ code: 78, stdout: '' });
    writeFileSync(`${path}.v1`, '');
    expect(await run(command)).toMatchObject({ code: 78, stdout: '' });
  });
});

test('PostgreSQL lets it in from its own network alone', () => {
  const [, hba = ''] = Object.entries(files('postgres_files')).find(([file]) => file.endsWith('/pg_hba.conf')) ?? [];
  expect(hba).toMatch(/^host {3}ml_db {2}\+postgres_exporter {2}10\.99\.\d+\.0\/29 {2}scram-sha-256$/m);
});

test('the job is told what the role may do', () => {
  const [, settings = '{}'] =
    Object.entries(files('postgres-roles_files')).find(([file]) => file.endsWith('/settings.json')) ?? [];
  expect(JSON.parse(settings).roles).toEqual([
    {
      name: 'postgres_exporter',
      login: 'postgres_exporter_1',
      passwordFile: '/run/secrets/postgres-postgres-exporter-password.v1',
      grants: 'monitor',
    },
  ]);
});

test('an endpoint that is no role is refused', () => {
  const build = () =>
    synthesiseWorkloads((stack) => {
      const role = aService(stack, 'web').expose('http', { scheme: 'http', port: 1 });
      new PostgresExporter(stack, 'postgres-exporter', { role });
    });
  expect(failureOf(build)).toMatchObject({ code: 'MODEL_INVALID', message: 'http is no role that logs in' });
});
