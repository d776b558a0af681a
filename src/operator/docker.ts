import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { RagdockError } from '../errors/problem.js';
import { sshAdvice } from './ssh-advice.js';
import { SshAgent, SshFailure } from './ssh-agent.js';

const PATIENCE_MS = 40_000;

/** How long an engine may take for what it has at hand, in milliseconds; over ssh, the connection is a part of it. */
export const ANSWER_MS = PATIENCE_MS;

export interface EngineOptions {
  /**
   * Folder with ca.pem, cert.pem and key.pem for a tcp:// engine that speaks TLS.
   *
   * @default - tcp:// without TLS
   */
  readonly certPath?: string | undefined;
  /**
   * How long the engine may take to say that it is there, in milliseconds.
   *
   * @default 40,000: an ssh connection is part of it
   */
  readonly patienceMs?: number;
  /**
   * How long the engine may take for each of its answers that it has at hand, in milliseconds.
   *
   * @default ANSWER_MS
   */
  readonly answerMs?: number;
  /**
   * Connections at once to an ssh:// engine; for what holds several open.
   *
   * @default - as many as any sshd takes at once
   */
  readonly connections?: number;
  /** Aborted when the answer is not wanted any more. @default - it is wanted until the end */
  readonly signal?: AbortSignal;
}

/**
 * A client of the Docker engine at `address` (unix:///path, tcp://host:port or ssh://user@host:port), which has
 * answered. Throws ENGINE_UNREACHABLE with the address and the cause.
 */
export async function connectEngine(address: string, options: EngineOptions = {}): Promise<Docker> {
  const { patienceMs = PATIENCE_MS, answerMs = ANSWER_MS, signal } = options;
  const late = AbortSignal.timeout(patienceMs);
  try {
    const docker = new Docker(connectionOf(address, options));
    await ping(docker, signal ? AbortSignal.any([late, signal]) : late);
    return impatient(docker, answerMs);
  } catch (cause) {
    throw unreachable(address, late.aborted ? new Error(`no answer within ${patienceMs / 1000} s`) : cause);
  }
}

interface Dial {
  readonly method: string;
  readonly isStream?: boolean;
  readonly abortSignal?: AbortSignal;
}

/** A client that gives up on questions: an engine that hangs answers its ping, and says nothing of one container. */
function impatient(docker: Docker, ms: number): Docker {
  const { modem } = docker as {
    modem: { dial(options: Dial, callback: (error: unknown, data: unknown) => void): void };
  };
  const dial = modem.dial.bind(modem);
  modem.dial = (options, callback) => {
    if (options.method !== 'GET' || options.isStream) return dial(options, callback);
    const late = AbortSignal.timeout(ms);
    const abortSignal = options.abortSignal ? AbortSignal.any([options.abortSignal, late]) : late;
    dial({ ...options, abortSignal }, (error, data) => callback(error && late.aborted ? noAnswer(ms) : error, data));
  };
  return docker;
}

const noAnswer = (ms: number): Error =>
  Object.assign(new Error(`it did not answer within ${ms / 1000} s`), { code: 'ETIMEDOUT' });

/** The types of the client do not know that a ping can be given up; the client closes its connection then. */
function ping(docker: Docker, abortSignal: AbortSignal): Promise<unknown> {
  return (docker as { ping(options: { abortSignal: AbortSignal }): Promise<unknown> }).ping({ abortSignal });
}

/**
 * What the engine does when it is told to. Fails as a connection does that timed out when it has not done it within
 * `ms`; what it has at hand it is given its time for anyway.
 */
export async function inTime<T>(tell: (abortSignal: AbortSignal) => Promise<T>, ms = ANSWER_MS): Promise<T> {
  const late = AbortSignal.timeout(ms);
  try {
    return await tell(late);
  } catch (error) {
    throw late.aborted ? noAnswer(ms) : error;
  }
}

/**
 * Run `work` against an engine. What the engine refuses, and a connection that breaks, become problems of the catalogue.
 */
export async function withEngine<T>(
  address: string,
  options: EngineOptions,
  work: (docker: Docker) => Promise<T>,
): Promise<T> {
  const docker = await connectEngine(address, options);
  try {
    return await work(docker);
  } catch (error) {
    if (statusOf(error) !== undefined) {
      const message = `the Docker engine at ${address} refused a request: ${reasonOf(error)}`;
      throw new RagdockError(
        { code: 'SESSION_FAILED', message, remedy: 'Read the engine’s reason; its own log (dockerd) says more.' },
        { cause: error },
      );
    }
    if (isTransportError(error)) throw unreachable(address, error);
    throw error;
  }
}

/** The HTTP status with which the engine refused; undefined when it was never asked, or is not at fault. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error ? (error as { statusCode?: unknown }).statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** What an engine's error says, without the client's decoration. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0)
    return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const said = (error as { json?: { message?: unknown } }).json?.message;
  return typeof said === 'string' ? said : error.message.trim();
}

function isTransportError(error: unknown): boolean {
  if (error instanceof SshFailure) return true;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND)/.test(code ?? '') || syscall === 'connect';
}

function unreachable(address: string, cause: unknown): RagdockError {
  const reason = reasonOf(cause);
  const remedy = remedyFor(address, cause, reason);
  return new RagdockError(
    {
      code: 'ENGINE_UNREACHABLE',
      path: 'host.docker',
      message: `the Docker engine at ${address} cannot be used: ${reason}`,
      ...(remedy === undefined ? {} : { remedy }),
    },
    { cause },
  );
}

/** A remedy that says more than the catalogue's. */
function remedyFor(address: string, cause: unknown, reason: string): string | undefined {
  if ((cause as NodeJS.ErrnoException).code === 'EACCES')
    return 'Run as a user that may use the socket: root, or a member of its group.';
  return address.startsWith('ssh:') ? sshAdvice(new URL(address), reason) : undefined;
}

/** The client's options. All of them are given, because it would take what is missing from DOCKER_HOST. */
function connectionOf(address: string, { certPath, connections }: EngineOptions): Docker.DockerOptions {
  const url = new URL(address);
  const base = {
    socketPath: undefined,
    host: undefined,
    port: undefined,
    protocol: 'http',
    timeout: undefined,
  } as const;
  const plain = { ca: undefined, cert: undefined, key: undefined } as const;
  if (url.protocol === 'unix:') return { ...base, ...plain, socketPath: decodeURIComponent(url.pathname) };
  if (url.protocol === 'ssh:') {
    const options = { ...base, ...plain, host: 'docker', port: 80, agent: new SshAgent(url, connections) };
    // The types of the client do not know `agent`; the client does.
    return options as Docker.DockerOptions;
  }
  const target = { ...base, host: url.hostname, port: url.port === '' ? (certPath ? 2376 : 2375) : Number(url.port) };
  if (!certPath) return { ...target, ...plain };
  const pem = (name: string) => readFileSync(join(certPath, name));
  return { ...target, protocol: 'https', ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem') };
}
