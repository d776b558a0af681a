import type Docker from 'dockerode';
import { demultiplex } from '../operator/demultiplex.js';
import { statusOf } from '../operator/docker.js';

const LINES = 10;

/** Longest line that is kept, in characters. */
const LONGEST_LINE = 500;

export interface LinesRequest {
  /** Most lines. */
  readonly tail: number;
  /** From when on, in seconds since 1970. @default - from the first line */
  readonly since?: number | undefined;
}

/** The last lines that a container wrote, its secrets still in them; none when it is not there. */
export async function lastLines(
  docker: Docker,
  container: string,
  { tail, since }: LinesRequest = { tail: LINES },
): Promise<readonly string[]> {
  const options = {
    stdout: true,
    stderr: true,
    tail,
    follow: false,
    ...(since === undefined ? {} : { since }),
  } as const;
  let raw: Buffer;
  try {
    raw = await docker.getContainer(container).logs(options);
  } catch (error) {
    if (statusOf(error) === 404) return [];
    throw error;
  }
  const pieces: Buffer[] = [];
  for await (const { data } of demultiplex([raw])) pieces.push(data);
  return Buffer.concat(pieces)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-tail)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
}
