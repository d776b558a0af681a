import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { maskSecrets } from '../mask-secrets.js';
import { formatEvent, readLines } from './lines.js';

/** Lines to be given back without the secrets in them. */
export const MaskRequest = z.strictObject({ id: z.int(), lines: z.array(z.string()) });
export type MaskRequest = z.output<typeof MaskRequest>;

export const MaskEvent = z.discriminatedUnion('event', [
  /** Told once, before anything is asked: names of the secrets whose values are known here. */
  z.strictObject({ event: z.literal('ready'), secrets: z.array(z.string()) }),
  z.strictObject({ event: z.literal('masked'), id: z.int(), lines: z.array(z.string()) }),
]);
export type MaskEvent = z.output<typeof MaskEvent>;

/**
 * The command `operator-mask FOLDER`: masks lines for a machine that does not know the secrets. No value leaves it. A
 * version that is added while it runs is known with the next lines.
 *
 * @param args the folder; NAME.vN are in it, or in folders of it
 */
export async function operatorMask(
  [folder = '']: readonly string[],
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<void> {
  const values = new Set<string>();
  const secrets = await learn(folder, values);
  write(formatEvent({ event: 'ready', secrets } satisfies MaskEvent));
  for await (const line of readLines(input)) {
    const { id, lines } = MaskRequest.parse(JSON.parse(line));
    await learn(folder, values);
    const known = [...values];
    write(formatEvent({ event: 'masked', id, lines: lines.map((it) => maskSecrets(it, known)) } satisfies MaskEvent));
  }
}

/** Adds every value below a folder, old versions too, and gives the names of the secrets. */
async function learn(folder: string, values: Set<string>): Promise<string[]> {
  const names = new Set<string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const [, name] = /^(.+)\.v\d+$/.exec(entry.name) ?? [];
    if (name === undefined || entry.isDirectory()) continue;
    const value = (await readFile(join(entry.parentPath, entry.name), 'utf8')).trim();
    if (value === '') continue;
    values.add(value);
    names.add(name);
  }
  return [...names].sort();
}
