import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ContainerCreateOptions } from 'dockerode';
import { IMAGES } from '../../../constructs/images.js';
import { docker } from './engine.js';
import { until } from './poll.js';

/** Containers and volumes of the servers that stand for somebody else's. No environment has this name. */
const PREFIX = 'elsewhere-';

const PORTS = { postgres: 15_432, qdrant: 16_333, llm: 18_080 } as const;

const MODEL = 'SmolLM2-135M-Instruct';

/** A password that whoever runs a server gave out. */
const given = (): string => randomBytes(24).toString('base64url');

/** Servers beside the stack, on ports of the host, as somebody else would run them. */
export interface Elsewhere {
  readonly passwords: { readonly postgres: string; readonly qdrant: string; readonly llm: string };
  readonly ports: typeof PORTS;
  /** Certificate, in PEM, of the private authority that signed PostgreSQL's. */
  readonly authority: string;
  readonly model: string;
  /** One value from the database, as its superuser sees it. */
  sql(statement: string): Promise<string>;
  /** A GET on Qdrant with its key. */
  qdrant<T>(path: string): Promise<T>;
  stop(server: keyof typeof PORTS): Promise<void>;
  /** Starts it again, and waits until it answers. */
  start(server: keyof typeof PORTS): Promise<void>;
  /** Removes the servers and their data. */
  remove(): Promise<void>;
}

/**
 * @param modelFile the GGUF file of the test host
 */
export async function startElsewhere(modelFile: string): Promise<Elsewhere> {
  await remove();
  const passwords = { postgres: given(), qdrant: given(), llm: given() };
  const { authority, certificate, key } = certificates('host.docker.internal');
  await run('postgres', 5432, {
    Image: IMAGES.postgres,
    Env: [`POSTGRES_PASSWORD=${given()}`, 'POSTGRES_DB=ml_db'],
  });
  await run('qdrant', 6333, {
    Image: IMAGES.qdrant,
    Env: [`QDRANT__SERVICE__API_KEY=${passwords.qdrant}`, 'RUN_MODE=production'],
  });
  await run('llm', 8080, {
    Image: IMAGES.llamaCpp,
    Entrypoint: ['/app/llama-server'],
    Cmd: [
      ...['--model', `/models/${basename(modelFile)}`, '--alias', MODEL, '--ctx-size', '8192', '--parallel', '1'],
      // On a busy machine two threads wait for each other most of the time.
      ...['--threads', '1'],
      ...['--host', '0.0.0.0', '--port', '8080', '--api-key', passwords.llm, '--metrics', '--no-webui'],
    ],
    HostConfig: { Binds: [`${dirname(modelFile)}:/models:ro`] },
  });
  await answers('postgres');
  const sql = (statement: string) => exec('postgres', ['psql', '-U', 'postgres', '-d', 'ml_db', '-tAc', statement]);
  // What a database's owner does once for a new application.
  await sql(`CREATE ROLE rag_api LOGIN PASSWORD '${passwords.postgres}'`);
  await sql('CREATE SCHEMA rag AUTHORIZATION rag_api');
  for (const [file, content] of [
    ['server.crt', certificate],
    ['server.key', key],
  ]) {
    await exec('postgres', ['sh', '-c', `umask 077; printf %s "$1" > "$PGDATA/${file}"`, 'sh', content ?? '']);
  }
  await sql('ALTER SYSTEM SET ssl = on');
  await sql('SELECT pg_reload_conf()');
  await Promise.all([answers('qdrant'), answers('llm')]);
  return {
    passwords,
    ports: PORTS,
    authority,
    model: MODEL,
    sql,
    qdrant: async <T>(path: string) => {
      const reply = await fetch(`http://127.0.0.1:${PORTS.qdrant}${path}`, {
        headers: { 'api-key': passwords.qdrant },
      });
      return ((await reply.json()) as { result: T }).result;
    },
    stop: async (server) => void (await docker.getContainer(`${PREFIX}${server}`).stop()),
    start: async (server) => {
      await docker.getContainer(`${PREFIX}${server}`).start();
      await answers(server);
    },
    remove,
  };
}

async function run(server: keyof typeof PORTS, port: number, options: ContainerCreateOptions): Promise<void> {
  const container = await docker.createContainer({
    ...options,
    name: `${PREFIX}${server}`,
    ExposedPorts: { [`${port}/tcp`]: {} },
    HostConfig: {
      ...options.HostConfig,
      PortBindings: { [`${port}/tcp`]: [{ HostIp: '0.0.0.0', HostPort: String(PORTS[server]) }] },
    },
  });
  await container.start();
}

async function answers(server: keyof typeof PORTS): Promise<void> {
  await until(`${PREFIX}${server} answers`, async () => {
    if (server !== 'postgres') {
      const path = server === 'qdrant' ? '/readyz' : '/health';
      return (await fetch(`http://127.0.0.1:${PORTS[server]}${path}`)).status === 200;
    }
    // Over TCP: the server that initialises a new database listens on its socket alone.
    await exec('postgres', ['pg_isready', '-h', '127.0.0.1', '-U', 'postgres']);
    return true;
  });
}

async function exec(server: keyof typeof PORTS, command: readonly string[]): Promise<string> {
  const exec = await docker
    .getContainer(`${PREFIX}${server}`)
    .exec({ Cmd: [...command], User: server === 'postgres' ? 'postgres' : '', AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const both = new PassThrough();
  docker.modem.demuxStream(stream, both, both);
  stream.once('end', () => both.end());
  const output = await text(both);
  const { ExitCode } = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`${command[0]} in ${PREFIX}${server} ended with ${ExitCode}: ${output}`);
  return output.trim();
}

/** A private authority, and a certificate of its own for a host, as `openssl` makes them. */
function certificates(host: string): { authority: string; certificate: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-certificates-'));
  try {
    const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    const authority = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=a private authority'];
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...authority);
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'server.key',
      '-out',
      'server.csr',
      '-subj',
      `/CN=${host}`,
    );
    writeFileSync(join(folder, 'names'), `subjectAltName=DNS:${host}\n`);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2'];
    openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt');
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    return { authority: read('ca.pem'), certificate: read('server.crt'), key: read('server.key') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function remove(): Promise<void> {
  for (const { Id, Names } of await docker.listContainers({ all: true })) {
    if (Names.some((name) => name.startsWith(`/${PREFIX}`))) {
      await docker.getContainer(Id).remove({ force: true, v: true });
    }
  }
}
