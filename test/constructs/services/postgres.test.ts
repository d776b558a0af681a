import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RootConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { Postgres, type PostgresProps, PostgresRoles } from '../../../constructs/services/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService, failureOf } from '../../support/workloads.js';

const CONF = '/ragdock/etc-postgresql/postgresql.conf';
const HBA = '/ragdock/etc-postgresql/pg_hba.conf';

const alone = (props: PostgresProps = {}) =>
  synthesiseWorkloads((stack) => void new Postgres(stack, 'postgres', props));

/** The superuser's job, an application with a role of its own, and two readers that share one role. */
const withClients = (props: PostgresProps = {}) =>
  synthesiseWorkloads(
    (stack) => {
      const postgres = new Postgres(stack, 'postgres', props);
      const [app, reader] = [postgres.role('rag_api', { inTurn: true }), postgres.role('reader')];
      new PostgresRoles(stack, 'roles', { postgres, roles: [{ endpoint: app, grants: 'history' }] });
      aService(stack, 'app').connectTo(app, {
        url: 'POSTGRES_URL',
        credential: 'POSTGRES_PASSWORD_FILE',
        rereads: true,
      });
      aService(stack, 'left').connectTo(reader, { credential: 'PASSWORD_FILE' });
      aService(stack, 'right').connectTo(reader, { credential: 'PASSWORD_FILE' });
    },
    {
      networks: {
        'app--postgres': '10.0.0.0/29',
        'left--postgres': '10.0.0.8/29',
        'right--postgres': '10.0.0.16/29',
        'roles--postgres': '10.0.0.24/29',
      },
    },
  );

describe('pg_hba.conf', () => {
  test('lets each role in from the networks of its clients, and nobody else', () => {
    expect(withClients({ database: 'ml_db' }).files('postgres_files')[HBA]).toBe(
      [
        '# Written by ragdock from who is connected to PostgreSQL.',
        '# type database user address method',
        'local  all  all  scram-sha-256',
        'host   all  postgres  127.0.0.1/32  scram-sha-256',
        'host   all  postgres  10.0.0.24/29  scram-sha-256',
        'host   ml_db  +rag_api  10.0.0.0/29  scram-sha-256',
        'host   ml_db  reader  10.0.0.16/29  scram-sha-256',
        'host   ml_db  reader  10.0.0.8/29  scram-sha-256',
        '',
      ].join('\n'),
    );
  });

  test('knows no method but SCRAM and no address of everybody', () => {
    for (const { files } of [alone(), withClients()]) {
      const rules = (files('postgres_files')[HBA] ?? '').split('\n').filter((line) => /^(local|host)/.test(line));
      expect(rules.length).toBeGreaterThan(0);
      for (const rule of rules) {
        expect(rule).toMatch(/ scram-sha-256$/);
        expect(rule).not.toMatch(/ 0\.0\.0\.0|\/0\b|::|same(host|net)|^host +all +all/);
      }
    }
  });

  test('lets no one in from elsewhere who was not connected', () => {
    expect(
      alone()
        .files('postgres_files')
        [HBA]?.match(/^host.*$/gm),
    ).toEqual(['host   all  postgres  127.0.0.1/32  scram-sha-256']);
  });
});

describe('a role from outside', () => {
  const published = (from: readonly string[]) =>
    synthesiseWorkloads(
      (stack) => {
        const postgres = new Postgres(stack, 'postgres');
        const role = postgres.role('analyst');
        postgres.admit(role, from);
        postgres.publish(role, { port: 5433, address: '127.0.0.1' });
        new PostgresRoles(stack, 'roles', { postgres, roles: [{ endpoint: role, grants: 'read' }] });
      },
      { networks: { 'postgres--published': '10.0.0.0/29', 'roles--postgres': '10.0.0.8/29' } },
    );

  test('comes from the host through the published port, and from the networks that are named', () => {
    const rules = published(['192.168.10.0/24'])
      .files('postgres_files')
      [HBA]?.match(/^host.*analyst.*$/gm);

    expect(rules).toEqual([
      'host   ml_db  analyst  10.0.0.0/29  scram-sha-256',
      'host   ml_db  analyst  192.168.10.0/24  scram-sha-256',
    ]);
  });

  test('has a port of the host that leads to the server', () => {
    expect(published([]).container('postgres').ports).toEqual([
      { internal: 5432, external: 5433, ip: '127.0.0.1', protocol: 'tcp' },
    ]);
  });

  test('is never the superuser', () => {
    const build = () =>
      synthesiseWorkloads((stack) => {
        const postgres = new Postgres(stack, 'postgres');
        postgres.admit(postgres.superuser);
      });

    expect(failureOf(build)).toMatchObject({
      code: 'MODEL_INVALID',
      message: 'sql-postgres cannot be let in from outside',
    });
  });
});

test('mounts a volume for dumps where it is given one', () => {
  const mounts = (props: PostgresProps) =>
    (alone(props).container('postgres').mounts as { source: string; target: string }[]).filter(
      ({ target }) => target === '/backups',
    );

  expect(mounts({})).toEqual([]);
  expect(mounts({ backupsVolumeName: 'ml_backups' })).toMatchObject([{ source: 'ml_backups', target: '/backups' }]);
});

describe('postgresql.conf', () => {
  test('says where to listen, how to log, and how passwords are kept', () => {
    expect(alone().files('postgres_files')[CONF]?.split('\n')).toEqual([
      '# Written by ragdock from services.postgres.settings.',
      "listen_addresses = '*'",
      'port = 5432',
      "hba_file = '/etc/postgresql/pg_hba.conf'",
      "password_encryption = 'scram-sha-256'",
      "log_destination = 'stderr'",
      'logging_collector = off',
      '',
    ]);
  });

  test('writes settings as PostgreSQL reads them, in the order of their names, without those not given', () => {
    const settings = {
      work_mem: '16MB',
      max_connections: 100,
      random_page_cost: 1.1,
      jit: false,
      search_path: "it's",
      effective_cache_size: undefined,
    };

    expect(alone({ settings }).files('postgres_files')[CONF]?.split('\n').slice(7)).toEqual([
      "jit = 'false'",
      'max_connections = 100',
      'random_page_cost = 1.1',
      "search_path = 'it''s'",
      "work_mem = '16MB'",
      '',
    ]);
  });
});

test('is told the superuser’s password by file, and makes new databases with SCRAM and checksums', () => {
  const { container } = alone({ database: 'ml_db' });

  expect(container('postgres').env).toEqual([
    'PGDATA=/var/lib/postgresql/data/pgdata',
    'POSTGRES_DB=ml_db',
    'POSTGRES_INITDB_ARGS=--data-checksums --auth-host=scram-sha-256 --auth-local=scram-sha-256',
    'POSTGRES_USER=postgres',
  ]);
  expect(container('postgres').entrypoint.at(-1)).toBe('/run/secrets/postgres-superuser-password');
  expect(container('postgres').command).toEqual(['postgres', '-c', 'config_file=/etc/postgresql/postgresql.conf']);
});

test('keeps its data in a volume of its own, under the given name if there is one', () => {
  const source = (props: PostgresProps) => alone(props).container('postgres').mounts[0];

  expect(source({})).toMatchObject({ source: 'test-postgres-data', target: '/var/lib/postgresql/data' });
  expect(source({ volumeName: 'ml_data' })).toMatchObject({ source: 'ml_data' });
});

test('is asked over TCP whether it is ready: the temporary server of a new database listens on its socket only', () => {
  expect(alone().container('postgres').healthcheck).toMatchObject({
    test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres', '-d', 'ml_db'],
    start_period: '2m0s',
  });
});

test('starts with the newest password of its superuser, and not without one; no process keeps it', async () => {
  const folder = temporaryFolder();
  // As the image's script does it, which leaves the password in a variable of what it starts.
  const script = [
    '#!/usr/bin/env bash',
    '_main() {',
    '  echo "read from $POSTGRES_PASSWORD_FILE"',
    '  export POSTGRES_PASSWORD="$(<"$POSTGRES_PASSWORD_FILE")" PGPASSWORD=of-the-first-start',
    '  exec "$@"',
    '}',
  ];
  writeFileSync(join(folder, 'docker-entrypoint.sh'), script.join('\n'));
  chmodSync(join(folder, 'docker-entrypoint.sh'), 0o755);
  const path = join(folder, 'password');
  const entrypoint: string[] = alone().container('postgres').entrypoint;
  const start = () =>
    // As Terraform hands it to the engine.
    run([...entrypoint.slice(0, -1).map((argument) => argument.replaceAll('$${', '${')), path, 'env'], {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    });

  expect(await start()).toMatchObject({ code: 78, stdout: '' });
  for (const version of [1, 9, 10]) writeFileSync(`${path}.v${version}`, `value-of-v${version}`);
  const { code, stdout } = await start();
  expect(code).toBe(0);
  expect(stdout).toContain(`read from ${path}.v10\n`);
  expect(stdout).toContain('PATH=');
  expect(stdout).not.toMatch(/value-of|of-the-first-start/);
});

describe('a role', () => {
  test('reaches its client as a URL without a password, and the password as a file', () => {
    expect(withClients().container('app').env).toEqual([
      'POSTGRES_PASSWORD_FILE=/run/secrets/postgres-rag-api-password',
      'POSTGRES_URL=postgresql://rag_api_*@test-postgres:5432/ml_db',
    ]);
  });

  test('is made by a job, which gets the role’s password and the superuser’s', () => {
    const { container, files } = withClients();

    expect(JSON.parse(files('roles_files')['/ragdock/etc-ragdock/settings.json'] ?? '')).toEqual({
      database: 'ml_db',
      roles: [
        {
          name: 'rag_api',
          login: 'rag_api_1',
          passwordFile: '/run/secrets/postgres-rag-api-password.v1',
          grants: 'history',
        },
      ],
      deadlineSeconds: 300,
    });
    expect(Object.keys(files('roles_files')).filter((path) => path.includes('/secrets/'))).toEqual([
      '/ragdock/secrets/postgres-rag-api-password.v1',
      '/ragdock/secrets/postgres-superuser-password.v1',
    ]);
    expect(container('roles').env).toContain('POSTGRES_URL=postgresql://postgres@test-postgres:5432/ml_db');
  });

  test('of another server is refused', () => {
    const build = () =>
      synthesiseWorkloads((stack) => {
        const [postgres, other] = [new Postgres(stack, 'postgres'), new Postgres(stack, 'other')];
        new PostgresRoles(stack, 'roles', { postgres, roles: [{ endpoint: other.role('app'), grants: 'history' }] });
      });

    expect(failureOf(build)).toMatchObject({
      code: 'MODEL_INVALID',
      path: 'test.roles',
      message: 'sql-app is no role of postgres',
    });
  });
});

test.each(['all', 'replication', 'sameuser', 'a b', 'a,all', '"all"', '+postgres'])(
  'the name %s would be more than one role or database in the rules',
  (name) => {
    const stack = new RootConstruct('test');
    expect(failureOf(() => new Postgres(stack, 'postgres', { database: name }))).toMatchObject({
      code: 'MODEL_INVALID',
    });
    const server = new Postgres(stack, 'other');
    expect(failureOf(() => server.role(name))).toMatchObject({ code: 'MODEL_INVALID', path: 'test.other' });
  },
);
