import type Docker from 'dockerode';
import { maskSecrets } from '../apps/mask-secrets.js';
import { LineAssembler } from '../logs/lines.js';
import { demultiplex } from '../operator/demultiplex.js';
import { statusOf } from '../operator/docker.js';
import type { SeenLine } from './evidence.js';

/** Lines that are read of one log; a Python traceback with its causes has some hundred. */
const TAIL = 400;

/** Longest line that is kept, in characters. */
const LONGEST_LINE = 500;

export interface LastLogRequest {
  /** From when on, ISO 8601. @default - of all runs */
  readonly since?: string | undefined;
  /** Until when, ISO 8601. @default - until now */
  readonly until?: string | undefined;
  /** Values that are masked. */
  readonly secrets: readonly string[];
}

/** The last lines that a container wrote, oldest first; none when it is not there. */
export async function lastLog(
  docker: Docker,
  container: string,
  { since, until, secrets }: LastLogRequest,
): Promise<readonly SeenLine[]> {
  const seconds = since === undefined ? 0 : Math.floor(Date.parse(since) / 1000);
  const from = seconds > 0 ? { since: seconds } : {};
  const to = until === undefined ? {} : { until: Math.ceil(Date.parse(until) / 1000) };
  const options = { stdout: true, stderr: true, timestamps: true, tail: TAIL, follow: false, ...from, ...to } as const;
  let raw: Buffer;
  try {
    raw = await docker.getContainer(container).logs(options);
  } catch (error) {
    // 404: it is gone; 409: it is on its way.
    if ([404, 409].includes(statusOf(error) ?? 0)) return [];
    throw error;
  }
  const assembler = new LineAssembler(container);
  const lines: SeenLine[] = [];
  const take = (assembled: ReturnType<LineAssembler['end']>): void => {
    for (const { time, text } of assembled) {
      if (text.trim() !== '') lines.push({ at: Date.parse(time), text: shortened(maskSecrets(text, secrets)) });
    }
  };
  for await (const frame of demultiplex([raw])) take(assembler.push(frame));
  take(assembler.end());
  return lines.slice(-TAIL);
}

/** After the masking: a secret that is cut is not found any more. */
function shortened(text: string): string {
  const line = text.trimEnd();
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
