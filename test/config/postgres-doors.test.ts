import { describe, expect, test } from 'vitest';
import { loadEnvironments } from '../../config/load.js';
import { postgresSettings } from '../../config/postgres-settings.js';
import { ROOT, synthesiseEnvironment } from '../support/environments.js';
import { problemsOf } from './problems.js';
import { MINIMAL } from './project.js';

// The services guide lets every role in from everywhere by MD5 (`host all all 0.0.0.0/0 md5`). No environment can.

const postgres = (settings: string): string => `${MINIMAL}  postgres: {${settings}}\n`;
const PUBLISHED = 'publish: {port: 5432}';

describe('no environment can open PostgreSQL as the services guide does:', () => {
  test.each([
    ['by MD5 for a role', `${PUBLISHED}, roles: {analyst: {method: md5}}`],
    ['by MD5 for all', 'method: md5'],
    ['by rules of its own', 'hba: [host all all 0.0.0.0/0 md5]'],
    ['by a file of rules', 'settings: {hba_file: /tmp/pg_hba.conf}'],
    ['by passwords that are kept as MD5', 'settings: {password_encryption: md5}'],
    ['by a setting that names another one', `settings: {work_mem: "16MB'\\nhba_file = '/tmp/x"}`],
    ['for the superuser', `${PUBLISHED}, roles: {postgres: {rights: write}}`],
    ['for every role at once', `${PUBLISHED}, roles: {all: {rights: write}}`],
    ['for every database', 'database: all'],
    ['for replication', 'database: replication'],
    ['for every address', `${PUBLISHED}, roles: {analyst: {from: [0.0.0.0/0]}}`],
    ['for every address in two halves', `${PUBLISHED}, roles: {analyst: {from: [0.0.0.0/1, 128.0.0.0/1]}}`],
    ['for every address by a word', `${PUBLISHED}, roles: {analyst: {from: [all]}}`],
    ['for every address of IPv6', `${PUBLISHED}, roles: {analyst: {from: ["::/0"]}}`],
    ['with a line of its own in a network', `${PUBLISHED}, roles: {analyst: {from: ["10.0.0.0/8 md5"]}}`],
    ['on every address of the host without a reason', 'publish: {port: 5432, address: 0.0.0.0}, roles: {analyst: {}}'],
    ['without roles', PUBLISHED],
  ])('%s', (_what, settings) => {
    expect(problemsOf(postgres(settings)).map(({ code }) => code)).not.toEqual([]);
  });

  test('(and what is asked for as it should be is accepted)', () => {
    const settings = 'publish: {port: 5432, address: 10.1.2.3, acknowledge: for the analysts’ office}';
    expect(problemsOf(postgres(`${settings}, roles: {analyst: {from: [192.168.10.0/24]}}`))).toEqual([]);
  });

  test('no setting decides who comes in', () => {
    const names = Object.keys(postgresSettings.shape);
    expect(names.filter((name) => /hba|ident|password|auth|listen|ssl|preload|krb|unix_socket/.test(name))).toEqual([]);
  });
});

test.each(
  loadEnvironments({ cwd: ROOT })
    .filter(({ settings }) => !settings.services.postgres.external)
    .map((environment) => [environment.name, environment] as const),
)('the rules of %s: SCRAM alone, a role, a database and one network in each', (_name, environment) => {
  const files = synthesiseEnvironment(environment).files('postgres_files');
  const [, text = ''] = Object.entries(files).find(([path]) => path.endsWith('/pg_hba.conf')) ?? [];
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const hosts = lines.filter((line) => line.startsWith('host')).map((line) => line.split(/\s+/));

  expect(lines.map((line) => line.split(/\s+/).at(-1))).toEqual(lines.map(() => 'scram-sha-256'));
  expect(hosts.length).toBeGreaterThan(2);
  for (const [, database, user, network = ''] of hosts) {
    expect(user).not.toBe('all');
    expect(database === 'all', `${user} has every database`).toBe(user === 'postgres');
    expect(network).toMatch(/^(10\.\d+\.\d+\.\d+\/29|127\.0\.0\.1\/32)$/);
  }
});
