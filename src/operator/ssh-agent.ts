import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Connections at once: sshd refuses some of more than 10 that are being opened (MaxStartups), and of more than 10 sessions. */
const CONNECTIONS = 6;

/** Longest part of what ssh says that ends up in an error, in characters. */
const LONGEST_COMPLAINT = 500;

/** An ssh that could not be started, or ended on its own. */
export class SshFailure extends Error {
  override readonly name = 'SshFailure';
}

/**
 * Carries HTTP to a Docker engine behind `ssh://user@host:port`, one process of the system's ssh for each connection,
 * as docker's own command line does. So keys, known hosts, jump hosts and aliases are those of the user's ssh. A login
 * takes long, so connections are used again.
 */
export class SshAgent extends Agent {
  readonly #arguments: readonly string[];

  /** @param connections at once; more than the default have to be opened one after the other */
  constructor(address: URL, connections = CONNECTIONS) {
    super({ keepAlive: true, maxSockets: connections });
    this.#arguments = [
      '-o',
      'ConnectTimeout=30',
      '-T',
      ...(address.username === '' ? [] : ['-l', decodeURIComponent(address.username)]),
      ...(address.port === '' ? [] : ['-p', address.port]),
      '--',
      address.hostname,
      'docker',
      'system',
      'dial-stdio',
    ];
  }

  override createConnection(): Duplex {
    return new SshConnection(spawn('ssh', this.#arguments, { stdio: 'pipe' }));
  }
}

/** The two pipes of an ssh process as one stream, which fails with what ssh says. */
class SshConnection extends Duplex {
  readonly #ssh: ChildProcessWithoutNullStreams;

  constructor(ssh: ChildProcessWithoutNullStreams) {
    super({ allowHalfOpen: true });
    this.#ssh = ssh;
    let complaint = '';
    ssh.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-LONGEST_COMPLAINT);
    });
    ssh.stdout.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) ssh.stdout.pause();
    });
    ssh.once('error', (cause) => this.destroy(new SshFailure(`ssh cannot be started: ${cause.message}`, { cause })));
    ssh.once('close', (code) => {
      if (code === 0 || this.destroyed) this.push(null);
      else this.destroy(new SshFailure(`ssh ended with ${code}: ${reasonIn(complaint)}`));
    });
    // A pipe that breaks says nothing of the cause; the end of the process does.
    ssh.stdin.on('error', () => undefined);
  }

  /** Whether this connection alone keeps the process alive; an agent's idle ones do not. */
  ref(): this {
    for (const part of this.#parts) part?.ref();
    return this;
  }

  unref(): this {
    for (const part of this.#parts) part?.unref();
    return this;
  }

  /** Asked for by agents; ssh has its own way to notice that the other side is gone (ServerAliveInterval). */
  setKeepAlive(): this {
    return this;
  }

  /** Asked for by agents, with 0: no limit. */
  setTimeout(): this {
    return this;
  }

  get #parts(): readonly ({ ref(): unknown; unref(): unknown } | null | undefined)[] {
    return [this.#ssh, ...(this.#ssh.stdio as unknown as (Socket | null | undefined)[])];
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#ssh.stdin.write(bytes, (error) => {
      if (!error) done();
    });
  }

  override _final(done: () => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const pipe of this.#ssh.stdio) pipe?.destroy();
    this.#ssh.kill();
    // One that takes its time to end does not keep this process alive.
    this.unref();
    done(error);
  }
}

/** The last line: what stands before it are banners and warnings. */
function reasonIn(complaint: string): string {
  return (
    complaint
      .trim()
      .split(/[\r\n]+/)
      .at(-1) || 'it gave no reason'
  );
}
