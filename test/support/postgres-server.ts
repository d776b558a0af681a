import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { until } from './until.js';

/** Where Debian has the servers of each major version. */
const DEBIAN = '/usr/lib/postgresql';

const FOLDERS = [
  ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).map((major) => join(DEBIAN, major, 'bin')) : []),
  ...(process.env.PATH ?? '').split(delimiter),
];
const BINARIES = FOLDERS.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));

/** A check of a pull request has to have it, and fails without; a developer may go without. */
export const HAS_POSTGRES = BINARIES !== undefined || process.env.CI !== undefined;

/** PostgreSQL refuses to run as root; uid and gid of `nobody` take its place. */
const OWNER: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A PostgreSQL server with the superuser `postgres`, open to passwords over TCP on the loopback address. */
export class PostgresServer {
  readonly password = 'of the superuser';
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#process = this.#spawn();
  }

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'ragdock-postgres-'));
    const data = join(folder, 'data');
    const passwordFile = join(folder, 'password');
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(passwordFile, 'of the superuser\n');
    const { uid, gid } = OWNER;
    if (uid !== undefined && gid !== undefined)
      for (const path of [folder, data, passwordFile]) chownSync(path, uid, gid);
    const { status, stderr } = spawnSync(
      binary('initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync', '-E', 'UTF8'],
      { ...OWNER, cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } },
    );
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
    const server = new PostgresServer(folder, await freePort());
    await server.#ready();
    return server;
  }

  /** Without a password. @param database `postgres` is there from the start */
  url(user: string, database = 'postgres'): string {
    return `postgresql://${user}@127.0.0.1:${this.#port}/${database}`;
  }

  /** A connection, which the caller ends. @default as the superuser */
  async connect(user = 'postgres', password = this.password, database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.#port, user, password, database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Ends the server at once, as a fast shutdown does. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGINT');
    await ended;
  }

  /** Ends the server as the kernel does when memory is short, with all that it has started. */
  async kill(): Promise<void> {
    const ended = once(this.#process, 'exit');
    for (const pid of this.#pids()) send(pid, 'SIGKILL');
    await ended;
  }

  /** Has the server hang: it takes connections, and answers nothing. */
  pause(): void {
    for (const pid of this.#pids()) send(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.#pids()) send(pid, 'SIGCONT');
  }

  /** The server's own process and those of its connections. */
  #pids(): readonly number[] {
    const own = this.#process.pid;
    if (own === undefined) return [];
    const children = readFileSync(`/proc/${own}/task/${own}/children`, 'utf8').trim();
    return [own, ...(children === '' ? [] : children.split(' ').map(Number))];
  }

  /** Starts the server that was stopped. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#ready();
  }

  async remove(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.resume();
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${this.#folder}`, 'fsync=off'];
    return spawn(
      binary('postgres'),
      ['-D', join(this.#folder, 'data'), '-p', String(this.#port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...OWNER, cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'], env: { LC_ALL: 'C.UTF-8' } },
    );
  }

  async #ready(): Promise<void> {
    const said = this.#process.stderr ? text(this.#process.stderr) : Promise.resolve('');
    await until('PostgreSQL answers', async () => {
      if (this.#process.exitCode !== null) throw new Error(`postgres: ${await said}`);
      const client = await this.connect().catch(() => undefined);
      await client?.end();
      return client !== undefined;
    });
  }
}

/** A process that has ended meanwhile is none to stop. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const binary = (name: string): string => join(BINARIES ?? '', name);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
