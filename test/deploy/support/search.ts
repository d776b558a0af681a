import { execFile } from 'node:child_process';

/** A value that must not be found, with what it is called. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

/** Forms that are shorter are in any text by chance. */
const SHORTEST = 7;

/** Characters of a part that is searched for: nobody has them by chance, and a value that was cut off is found. */
const PART = 14;

/**
 * Searches for values in whatever form somebody may have written them: as they are, whole or cut off at either end, in
 * other case, backwards, in base64 and base64url at any offset, in hexadecimal, percent-encoded.
 */
export class Search {
  readonly #forms: readonly { readonly name: string; readonly form: string }[];

  constructor(canaries: readonly Canary[]) {
    this.#forms = canaries.flatMap(({ name, value }) => formsOf(value).map((form) => ({ name, form })));
  }

  /** Names of those that a text holds, sorted. */
  in(text: string): readonly string[] {
    const lower = text.toLowerCase();
    return [...new Set(this.#forms.filter(({ form }) => lower.includes(form)).map(({ name }) => name))].sort();
  }

  /** Paths of the files below these folders that hold one, of whatever size; what cannot be read is an error. */
  async inFiles(folders: readonly string[]): Promise<readonly string[]> {
    const patterns = this.#forms.map(({ form }) => form).join('\n');
    const args = ['--recursive', '--files-with-matches', '--ignore-case', '--text', '--fixed-strings', '--file=-'];
    return new Promise((resolve, reject) => {
      const grep = execFile(
        'grep',
        [...args, '--devices=skip', '--', ...folders],
        // In this locale every byte is a character.
        { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1 << 24 },
        (error, stdout, stderr) => {
          // Files that a running service removes in the meantime are no failure of the search.
          const failed = stderr
            .split('\n')
            .filter((line) => line !== '' && !line.endsWith('No such file or directory'));
          if (error && error.code !== 1 && failed.length > 0) reject(new Error(failed.join('\n')));
          else resolve(stdout.split('\n').filter((line) => line !== ''));
        },
      );
      grep.stdin?.end(patterns);
    });
  }
}

/** Lower-case forms of a value. */
export function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const parts = [value.slice(0, PART), value.slice(-PART)];
  const hex = parts.map((part) => Buffer.from(part).toString('hex'));
  const base64 = [0, 1, 2].map((offset) => {
    // Only whole groups of three bytes read the same whatever stands beside.
    const whole = bytes.subarray((3 - offset) % 3);
    return whole.subarray(0, Math.min(15, whole.length - (whole.length % 3))).toString('base64');
  });
  const forms = [
    ...parts,
    [...value].reverse().join('').slice(0, PART),
    ...hex,
    ...hex.map((text) => text.replace(/../g, '%$&')),
    ...parts.map((part) => part.replace(/[^A-Za-z0-9]/g, (it) => `%${Buffer.from(it).toString('hex')}`)),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
  const long = forms.filter((form) => form.length >= SHORTEST);
  return [...new Set(long.map((form) => form.toLowerCase()))];
}
