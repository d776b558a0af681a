import { expect, test } from 'vitest';
import { Postgres, PostgresExporter, PostgresRoles } from '../../../constructs/services/index.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService, failureOf } from '../../support/workloads.js';

const { container, files } = synthesiseWorkloads((stack) => {
  const postgres = new Postgres(stack, 'postgres', { database: 'ml_db' });
  const role = postgres.role('postgres_exporter');
  new PostgresRoles(stack, 'postgres-roles', { postgres, roles: [{ endpoint: role, grants: 'monitor' }] });
  new PostgresExporter(stack, 'postgres-exporter', { role });
});

test('logs in as a role of its own, with the password in a file', () => {
  expect(container('postgres-exporter').env).toEqual(
    expect.arrayContaining([
      'DATA_SOURCE_URI=test-postgres:5432/ml_db?sslmode=disable',
      'DATA_SOURCE_USER=postgres_exporter',
      'DATA_SOURCE_PASS_FILE=/run/secrets/postgres-postgres-exporter-password.v1',
    ]),
  );
});

test('PostgreSQL lets it in from its own network alone', () => {
  const [, hba = ''] = Object.entries(files('postgres_files')).find(([file]) => file.endsWith('/pg_hba.conf')) ?? [];
  expect(hba).toMatch(/^host {3}ml_db {2}postgres_exporter {2}10\.99\.\d+\.0\/29 {2}scram-sha-256$/m);
});

test('the job is told what the role may do', () => {
  const [, settings = '{}'] =
    Object.entries(files('postgres-roles_files')).find(([file]) => file.endsWith('/settings.json')) ?? [];
  expect(JSON.parse(settings).roles).toEqual([
    {
      name: 'postgres_exporter',
      passwordFile: '/run/secrets/postgres-postgres-exporter-password',
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
