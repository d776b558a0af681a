import type { LogLine } from './lines.js';
import type { Masker } from './masker.js';

/** Longest line that is shown, in characters. */
const LONGEST_SHOWN = 64 * 1024;

/** What is left out of the end of a line that was cut: a secret may have been cut with it. Longer ones do not exist. */
const LONGEST_SECRET = 4096;

/** How lines look; `service` is what stands before them. */
export interface LogFormat {
  readonly service: (name: string) => string;
  readonly timestamps: boolean;
}

/** Lines as they are printed, without secrets. */
export async function formatLines(lines: readonly LogLine[], masker: Masker, format: LogFormat): Promise<string> {
  const masked = await masker.mask(lines.map(({ text }) => text));
  return lines
    .map(({ service, time, cut }, index) => {
      const head = `${format.service(service)} | ${format.timestamps ? `${time} ` : ''}`;
      return `${head}${shown(masked[index] ?? '', cut)}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
}

function shown(text: string, cut: boolean): string {
  const whole = cut ? text.slice(0, Math.max(0, text.length - LONGEST_SECRET)) : text;
  return cut || whole.length > LONGEST_SHOWN ? `${whole.slice(0, LONGEST_SHOWN)}… (cut)` : whole;
}
