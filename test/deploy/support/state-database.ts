import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type Docker from 'dockerode';
import { Client } from 'pg';
import { IMAGES } from '../../../constructs/images.js';
import { docker } from './engine.js';
import { until } from './poll.js';

const NAME = 'ragdock-test-state';

/** A PostgreSQL server that keeps a state, as the machine of a team would have it. */
export interface StateDatabase {
  readonly password: string;
  /** What PG_CONN_STR has to be. */
  readonly connection: string;
  /** Rows of a statement. */
  query(statement: string): Promise<readonly Record<string, unknown>[]>;
  remove(): Promise<void>;
}

/** Start a server of the test image on a free port of this machine. Its data is in memory. */
export async function startStateDatabase(): Promise<StateDatabase> {
  await removeIfThere();
  const password = randomBytes(18).toString('hex');
  const port = await freePort();
  const container = await docker.createContainer({
    name: NAME,
    Image: IMAGES.postgres,
    Env: [`POSTGRES_PASSWORD=${password}`],
    HostConfig: {
      PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      Tmpfs: { '/var/lib/postgresql/data': '' },
    },
  });
  await container.start();
  const connection = `postgres://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
  const query = async (statement: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new Client({ connectionString: connection });
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  };
  await until('the database of the state answers', () => query('SELECT 1'), 60);
  return { password, connection, query, remove: removeIfThere };
}

async function removeIfThere(): Promise<void> {
  const container: Docker.Container = docker.getContainer(NAME);
  await container.remove({ force: true, v: true }).catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 404) throw error;
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
