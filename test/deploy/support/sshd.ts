import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { until } from './poll.js';

/**
 * An OpenSSH server of this machine with keys of its own and the limits that sshd has by itself: 10 sessions on a
 * connection (MaxSessions), and of 10 connections that have not logged in yet it drops some (MaxStartups 10:30:100).
 */
export class TestSshd {
  #server: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly settings: readonly string[],
  ) {
    // Of a suite that is cut off nothing stays behind that listens.
    process.once('exit', () => this.#server?.kill());
  }

  /**
   * @param parent a folder that only root may write to, up to the root of the file system: sshd asks for it
   * @param settings further lines of sshd_config
   */
  static async start(parent: string, settings: readonly string[]): Promise<TestSshd> {
    mkdirSync(parent, { recursive: true });
    const sshd = new TestSshd(mkdtempSync(join(parent, 'sshd-')), await freePort(), settings);
    sshd.newHostKey();
    makeKey(sshd.userKey);
    writeFileSync(join(sshd.folder, 'authorized_keys'), readFileSync(`${sshd.userKey}.pub`));
    await sshd.serve();
    return sshd;
  }

  /** Private key with which root may log in; its public half is in a file beside it. */
  get userKey(): string {
    return join(this.folder, 'user');
  }

  /** The line for known_hosts. */
  get knownHost(): string {
    const [type, key] = readFileSync(join(this.folder, 'host.pub'), 'utf8').split(' ');
    return `[localhost]:${this.port} ${type} ${key}\n`;
  }

  /** What it has logged since the first start. */
  get log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  newHostKey(): void {
    makeKey(join(this.folder, 'host'));
  }

  /** @param settings in place of those that it was started with */
  async serve(settings = this.settings): Promise<void> {
    // Packages leave it to the service that this server is not.
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const configuration = join(this.folder, 'sshd_config');
    const lines = [
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(this.folder, 'host')}`,
      `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
      'PidFile none',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'LogLevel VERBOSE',
      ...settings,
    ];
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    const server = spawn('/usr/sbin/sshd', ['-D', '-f', configuration, '-E', this.#logFile], { stdio: 'inherit' });
    this.#server = server;
    await until(
      'sshd listens',
      async () => {
        if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}: ${this.log.slice(-500)}`);
        return accepts(this.port);
      },
      20,
    );
  }

  /** Nothing listens on the port afterwards. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true });
  }

  get #logFile(): string {
    return join(this.folder, 'log');
  }
}

/** How a log of sshd counts what clients did. */
export interface SshUse {
  readonly logins: number;
  /** Most connections at once that were logged in; each has one session. */
  readonly connections: number;
  /** Connections that were dropped because too many others were not logged in yet. */
  readonly dropped: number;
}

export function useOf(log: string): SshUse {
  let open = 0;
  let connections = 0;
  for (const [, what] of log.matchAll(/^(Accepted publickey|Disconnected from user)/gm)) {
    open += what === 'Accepted publickey' ? 1 : -1;
    connections = Math.max(connections, open);
  }
  return {
    logins: [...log.matchAll(/^Accepted publickey/gm)].length,
    connections,
    dropped: [...log.matchAll(/^(drop connection|.*MaxStartups)/gm)].length,
  };
}

function makeKey(file: string): void {
  rmSync(file, { force: true });
  rmSync(`${file}.pub`, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ragdock-test', '-f', file]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
