import { isUtf8 } from 'node:buffer';
import { FAILURES, type FailureCode } from '../../errors/catalogue.js';
import { RagdockError } from '../../errors/problem.js';
import { runProgram } from '../run-program.js';
import { saidBy } from '../said.js';

/** How sops is run, and for which file. */
export interface SopsOptions {
  /** The project's folder; sops finds `.sops.yaml` from there on. */
  readonly cwd: string;
  /** The encrypted file, relative to `cwd`. */
  readonly file: string;
  /** Public keys of age that may read the file. @default - other kinds of keys, or there is no file yet */
  readonly recipients?: readonly string[];
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** Longest output. Every value of an environment fits many times. */
const MOST_BYTES = 1024 * 1024;

/** What the exit codes of sops mean: they are a part of its interface. */
const CODES: Readonly<Record<number, FailureCode>> = {
  24: 'SOPS_FILE_DAMAGED',
  25: 'SOPS_FILE_DAMAGED',
  51: 'SOPS_FILE_DAMAGED',
  52: 'SOPS_FILE_DAMAGED',
  61: 'SOPS_RECIPIENTS',
  111: 'SOPS_RECIPIENTS',
  128: 'SOPS_KEY_MISSING',
};

/**
 * Run sops, found on PATH, and give back what it printed. Values reach it by standard input alone.
 *
 * @param input what it reads
 * @param secrets values that no message may hold
 * @throws RagdockError SOPS_MISSING, SOPS_KEY_MISSING, SOPS_RECIPIENTS, SOPS_FILE_DAMAGED, SOPS_FAILED
 */
export async function runSops(
  args: readonly string[],
  { cwd, file, recipients = [], timeoutSeconds, signal }: SopsOptions,
  input = '',
  secrets: readonly string[] = [],
): Promise<string> {
  const outcome = await runProgram(['sops', ...args], { cwd, timeoutSeconds, signal, mostBytes: MOST_BYTES, input });
  if (!('failure' in outcome)) {
    if (isUtf8(outcome.stdout)) return outcome.stdout.toString('utf8');
    throw new RagdockError({ code: 'SOPS_FAILED', file, message: 'sops printed something that is no text' });
  }
  if (outcome.missing) {
    throw new RagdockError({ code: 'SOPS_MISSING', file, message: 'sops cannot start: there is no such program' });
  }
  const said = outcome.stderr.toString('utf8');
  const code = codeOf(outcome.exitCode, said);
  const message =
    code === 'SOPS_KEY_MISSING' && recipients.length > 0
      ? `it is encrypted for ${recipients.join(', ')}; ${keysHere(said)}`
      : `sops ${outcome.failure}${saidBy(outcome.stderr, secrets)}`;
  throw new RagdockError({ code, file, message, remedy: FAILURES[code].remedy.replaceAll('FILE`', `${file}\``) });
}

function codeOf(exitCode: number | undefined, stderr: string): FailureCode {
  const known = exitCode === undefined ? undefined : CODES[exitCode];
  if (known !== undefined) return known;
  // Without a rule for the file sops ends with the code of any failure.
  return /no matching creation rules|config file not found|empty key group/i.test(stderr)
    ? 'SOPS_RECIPIENTS'
    : 'SOPS_FAILED';
}

/** What sops says at length: it names every place that it has looked into. */
function keysHere(stderr: string): string {
  // It breaks its lines wherever they are full.
  const text = stderr.replace(/\s*\n[\s|]*/g, ' ');
  if (/identity did not match/.test(text)) return 'the key of this machine is another one';
  const [missing] = /(?<=open )\S+(?=: no such file)/.exec(text) ?? [];
  return missing === undefined ? 'sops finds no key on this machine' : `there is no file ${missing} with a key`;
}
