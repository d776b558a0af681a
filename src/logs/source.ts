import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { demultiplex } from '../operator/demultiplex.js';
import { LineAssembler, type LogLine } from './lines.js';

export interface LogRequest {
  /** Lines from this time on, as the engine takes it: seconds since 1970, with a fraction. @default - from the first */
  readonly since?: string | undefined;
  /** Last lines alone. @default - all */
  readonly tail?: number | undefined;
  /** Whether to go on until the container ends. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** The log of a container, as the engine sends it: as fast as it is read, however long it is. */
export function openLog(docker: Docker, container: string, request: LogRequest): Promise<Readable> {
  const { since, tail, follow, signal } = request;
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow,
    ...(since === undefined ? {} : { since }),
    ...(tail === undefined ? {} : { tail }),
  };
  // The client's own `logs` collects everything before it gives anything, unless it follows.
  const call = {
    path: `/containers/${container}/logs?`,
    method: 'GET',
    isStream: true,
    statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
    abortSignal: signal,
    options,
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(call, (error: unknown, stream: unknown) => {
      if (error) reject(error);
      else resolve(stream as Readable);
    });
  });
}

/** The lines of a log; the last one may have no end. */
export async function* linesOf(service: string, stream: Readable): AsyncGenerator<LogLine> {
  const assembler = new LineAssembler(service);
  try {
    for await (const frame of demultiplex(stream)) yield* assembler.push(frame);
    yield* assembler.end();
  } finally {
    stream.destroy();
  }
}

/** A time of a line in the form in which the engine is asked: `1795341600.000000001`. */
export function sinceOf(time: string): string {
  const [, seconds = time, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${Math.floor(Date.parse(`${seconds}Z`) / 1000)}.${fraction.padEnd(9, '0').slice(0, 9)}`;
}
