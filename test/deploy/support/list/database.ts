import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Endpoint, Job, Service, type Workload } from '../../../../constructs/model/index.js';
import type { Deployment } from '../deployment.js';
import { topologyOf } from '../described.js';
import { type Origin, runIn } from '../isolation/probe.js';
import { asLongAsItRuns } from '../stand-in-job.js';

const CLIENT = fileURLToPath(new URL('../isolation/postgres-client.mjs', import.meta.url));

const INVALID_AUTHORIZATION = '28000';
const WRONG_PASSWORD = '28P01';
const FORBIDDEN = '42501';

/** What the server's answer to a first message asks for: SASL, which is how SCRAM goes. */
const SASL = 10;

interface Attempt {
  readonly host: string;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
  readonly replication?: string;
  readonly statements?: readonly string[];
}

interface Answer {
  /** `ok`, an SQLSTATE, or what the client says. */
  readonly login: string;
  /** Number of the way to log in, or the SQLSTATE with which the server refuses at once. */
  readonly offered: number | string;
  /** Of each statement the rows, or the SQLSTATE. */
  readonly results: readonly (readonly Record<string, unknown>[] | string)[];
}

/** Somebody with a role, and everything that is right for it. */
interface Client {
  readonly workload: Workload;
  readonly endpoint: Endpoint;
  readonly right: Required<Pick<Attempt, 'host' | 'database' | 'user' | 'password'>>;
}

/** Who logs in to the running PostgreSQL, from where, and what each role may do then. The engine has to be of this machine. */
export function databaseIsClosed(deployment: Deployment): void {
  const { name, engine, project, sql } = deployment;

  describe(`PostgreSQL of ${name}`, () => {
    const topology = topologyOf(deployment);
    const server = topology.workloads.find(({ node }) => node.id === 'postgres');
    if (!server) throw new Error(`${name} has no PostgreSQL of its own`);
    const database = deployment.description.database ?? 'ml_db';
    let clients: readonly Client[] = [];
    let job: Client;

    const attempt = async (from: Origin, ...attempts: readonly Attempt[]) =>
      runIn<readonly Answer[]>(from, CLIENT, attempts);

    /** Run something in the network of a client; a job that has ended gets a stand-in. */
    async function from<T>({ workload }: Pick<Client, 'workload'>, work: (origin: Origin) => Promise<T>): Promise<T> {
      const container = await engine.docker.getContainer(topology.containerName(workload)).inspect();
      return Job.isJob(workload)
        ? asLongAsItRuns(engine.docker, container, ({ State: { Pid } }) => work({ pid: Pid }))
        : work({ pid: container.State.Pid });
    }

    beforeAll(async () => {
      await engine.allHealthy();
      const { NetworkSettings } = await engine.containerOf('postgres').inspect();
      const all = topology.clientsOf(server).flatMap(({ client, endpoints }) =>
        endpoints.map(async (endpoint): Promise<Client> => {
          const { credential, user = '' } = endpoint;
          if (!credential) throw new Error(`${client.node.id} has no password`);
          const file = `${credential.name}.v${topology.secretVersion(credential)}`;
          // A client's role may have two logins that take turns; one of them is open.
          const login = await sql(
            `SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname IN ('${user}', '${user}_1', '${user}_2')`,
          );
          return {
            workload: client,
            endpoint,
            right: {
              host: NetworkSettings.Networks[topology.pairNetwork(client, server).name]?.IPAddress ?? '',
              database,
              user: login,
              password: readFileSync(join(project.secretsFolder, file), 'utf8'),
            },
          };
        }),
      );
      clients = await Promise.all(all);
      const superuser = clients.find(({ workload }) => Job.isJob(workload));
      if (!superuser) throw new Error('no job prepares the database');
      job = superuser;
    });

    test('each role comes in from its own network, by SCRAM and no other way', async () => {
      expect(clients.length).toBeGreaterThan(1);
      for (const client of clients) {
        const [answer] = await from(client, (origin) =>
          attempt(origin, { ...client.right, statements: ['SELECT session_user'] }),
        );
        expect([client.workload.node.id, answer]).toEqual([
          client.workload.node.id,
          { login: 'ok', offered: SASL, results: [[{ session_user: client.right.user }]] },
        ]);
      }
    });

    test('with the right password from the network of somebody else nobody comes in', async () => {
      for (const { right, workload } of clients) {
        // The jobs of the superuser have a network each, and come in from both.
        for (const other of clients.filter((it) => it.workload !== workload && it.right.user !== right.user)) {
          // Each goes to the address that the other one uses, so the server sees another network than the role's.
          const [answer] = await from(other, (origin) => attempt(origin, { ...right, host: other.right.host }));
          expect([right.user, other.workload.node.id, answer?.login, answer?.offered]).toEqual([
            right.user,
            other.workload.node.id,
            INVALID_AUTHORIZATION,
            INVALID_AUTHORIZATION,
          ]);
        }
      }
      // Not from the server's own container either.
      const container = await engine.containerOf('postgres').inspect();
      for (const { right } of clients.filter((it) => it.right.user !== job.right.user)) {
        const [answer] = await attempt({ pid: container.State.Pid }, { ...right, host: '127.0.0.1' });
        expect([right.user, answer?.login]).toEqual([right.user, INVALID_AUTHORIZATION]);
      }
    });

    test('another database, another role, the superuser, replication and no password are refused', async () => {
      for (const client of clients.filter(({ workload }) => Service.isService(workload))) {
        const { right } = client;
        const refused: readonly Attempt[] = [
          { ...right, database: 'postgres' },
          { ...right, database: 'template1' },
          { ...right, user: 'nobody_knows' },
          { ...right, user: job.right.user, password: job.right.password },
          { ...right, replication: 'true' },
          ...clients.filter((it) => it.right.user !== right.user).map((it) => ({ ...it.right, host: right.host })),
        ];
        const answers = await from(client, (origin) =>
          attempt(origin, ...refused, { ...right, password: `${right.password}x` }, { ...right, password: undefined }),
        );
        const [withoutPassword, wrongPassword, ...others] = [...answers].reverse();
        expect(others.map(({ login }) => login)).toEqual(refused.map(() => INVALID_AUTHORIZATION));
        expect(wrongPassword?.login).toBe(WRONG_PASSWORD);
        expect(withoutPassword?.login).toMatch(/password must be a string|28P01/);
        // The twin: the same with nothing wrong.
        const [right_] = await from(client, (origin) => attempt(origin, right));
        expect(right_?.login).toBe('ok');
      }
    });

    test('the rules that the server has in force name SCRAM alone, one network each, and no role twice over', async () => {
      const rules = JSON.parse(
        await sql(
          'SELECT json_agg(r) FROM (SELECT type, database, user_name, address, netmask, auth_method, error FROM pg_hba_file_rules) AS r',
        ),
      ) as {
        type: string;
        address: string | null;
        netmask: string | null;
        auth_method: string;
        error: string | null;
      }[];

      expect(new Set(rules.map(({ auth_method }) => auth_method))).toEqual(new Set(['scram-sha-256']));
      expect(rules.filter(({ error }) => error !== null)).toEqual([]);
      for (const { type, address, netmask } of rules) {
        if (type === 'local') continue;
        expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        // No wider than one of the stack's networks; saiga lets nobody in from elsewhere.
        expect(['255.255.255.248', '255.255.255.255']).toContain(netmask);
      }
      expect(await sql('SHOW password_encryption')).toBe('scram-sha-256');
      expect(
        await sql(
          "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'",
        ),
      ).toBe('0');
      expect(await sql('SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword IS NULL')).toBe('0');
      expect(
        await sql(
          "SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls",
        ),
      ).toBe('postgres');
    });

    test('data pages have checksums', async () => {
      expect(await sql('SHOW data_checksums')).toBe('on');
    });

    test('no role can do more than its work', async () => {
      const services = clients.filter(({ workload }) => Service.isService(workload));
      for (const client of services) {
        const [answer] = await from(client, (origin) =>
          attempt(origin, { ...client.right, statements: BEYOND_EVERYBODY }),
        );
        expect(answer?.login).toBe('ok');
        const allowed = BEYOND_EVERYBODY.filter((_, index) => answer?.results[index] !== FORBIDDEN);
        expect([client.workload.node.id, allowed, answer?.results.filter((it) => it !== FORBIDDEN)]).toEqual([
          client.workload.node.id,
          [],
          [],
        ]);
      }
      // The twin: the superuser can, but for what would leave something behind.
      const [answer] = await from(job, (origin) =>
        attempt(origin, { ...job.right, statements: BEYOND_EVERYBODY.map((it) => `BEGIN; ${it}; ROLLBACK`) }),
      );
      expect(answer?.results.filter((it) => it === FORBIDDEN)).toEqual([]);
    });

    test('a role sees the statements of its own sessions alone, unless it is the exporter’s', async () => {
      const services = clients.filter(({ workload }) => Service.isService(workload));
      for (const client of services) {
        const [answer] = await from(client, (origin) =>
          attempt(origin, {
            ...client.right,
            statements: [
              "SELECT count(*)::int AS seen FROM pg_stat_activity WHERE usename <> current_user AND query NOT LIKE '<insufficient%' AND query <> ''",
            ],
          }),
        );
        const [rows] = answer?.results ?? [];
        const seen = Array.isArray(rows) ? rows[0]?.seen : rows;
        if (client.workload.node.id === 'postgres-exporter') continue;
        expect([client.workload.node.id, seen]).toEqual([client.workload.node.id, 0]);
      }
    });

    test.each(RIGHTS.filter(([id]) => topology.workloads.some(({ node }) => node.id === id)))(
      '%s may do its own work',
      async (id, may, mayNot) => {
        const client = clients.find(({ workload }) => workload.node.id === id);
        if (!client) throw new Error(`${id} is no client`);
        const [answer] = await from(client, (origin) =>
          attempt(origin, { ...client.right, statements: ['BEGIN', ...may, 'ROLLBACK', ...mayNot] }),
        );
        const done = answer?.results.slice(1, 1 + may.length) ?? [];
        expect(done.filter((it) => !Array.isArray(it))).toEqual([]);
        expect(done).toHaveLength(may.length);
        expect(answer?.results.slice(2 + may.length)).toEqual(mayNot.map(() => FORBIDDEN));
      },
    );
  });
}

/** What no client of the database may do. */
const BEYOND_EVERYBODY = [
  'DELETE FROM rag.exchanges',
  'TRUNCATE rag.exchanges',
  'DROP TABLE rag.exchanges',
  'CREATE TABLE rag.mine (a int)',
  'CREATE TABLE public.mine (a int)',
  'CREATE TEMPORARY TABLE mine (a int)',
  'CREATE SCHEMA mine',
  'CREATE EXTENSION file_fdw',
  'CREATE FUNCTION rag.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
  'CREATE ROLE mine',
  'ALTER ROLE CURRENT_USER SUPERUSER',
  'SET ROLE postgres',
  "ALTER SYSTEM SET log_statement = 'all'",
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT pg_ls_dir('/')",
  "SELECT lo_import('/etc/passwd')",
  "COPY (SELECT 1) TO PROGRAM 'true'",
  "COPY (SELECT 1) TO '/tmp/mine'",
  'SELECT rolpassword FROM pg_authid',
  'SELECT pg_reload_conf()',
  'UPDATE rag.exchange_counts SET exchanges = 0',
  "INSERT INTO rag.source_counts VALUES ('a', 'b', 1)",
] as const;

/** What each client may do, and what is somebody else's. */
const RIGHTS: readonly (readonly [id: string, may: readonly string[], mayNot: readonly string[]])[] = [
  [
    'rag-api',
    [
      'SELECT count(*) FROM rag.exchanges',
      "INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model) VALUES (gen_random_uuid(), 'r', 'u', 'c', 'q', 'm')",
      "UPDATE rag.exchanges SET status = 'complete' WHERE request_id = 'r'",
    ],
    ['SELECT * FROM rag.exchange_counts', 'SELECT * FROM rag.active_users'],
  ],
  [
    'agent-exporter',
    ['SELECT * FROM rag.exchange_counts', 'SELECT * FROM rag.source_counts', 'SELECT * FROM rag.active_users'],
    [
      'SELECT question FROM rag.exchanges',
      'SELECT count(*) FROM rag.exchanges',
      "UPDATE rag.exchanges SET answer = ''",
      "INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model) VALUES (gen_random_uuid(), 'r', 'u', 'c', 'q', 'm')",
    ],
  ],
  [
    'postgres-exporter',
    ['SELECT count(*) FROM pg_stat_activity', 'SELECT pg_database_size(current_database())'],
    ['SELECT question FROM rag.exchanges', 'SELECT * FROM rag.exchange_counts'],
  ],
];
