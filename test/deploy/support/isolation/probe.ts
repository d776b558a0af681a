import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROBER = fileURLToPath(new URL('prober.mjs', import.meta.url));

/** A packet that is dropped is never answered: that is what a probe waits for. In milliseconds. */
const TIMEOUT_MS = 1500;

/** Where a probe goes. */
export interface Target {
  readonly id: string;
  /** `dns` asks for `name`. @default 'tcp' */
  readonly kind?: 'tcp' | 'dns';
  readonly host: string;
  readonly port: number;
  readonly name?: string;
}

/** `open`, `timeout`, or the code of an error. */
export type Outcome = string;

/** A refusal comes from the other side as well, so the packets got there. */
export const reached = (outcome: Outcome | undefined): boolean => outcome === 'open' || outcome === 'ECONNREFUSED';

/** In whose network a probe starts: that of a process, one with a name, or this process's own. */
export type Origin = { readonly pid: number } | { readonly namespace: string } | 'here';

const enter = (origin: Origin): readonly string[] => {
  if (origin === 'here') return [];
  return 'pid' in origin
    ? ['nsenter', '--target', String(origin.pid), '--net']
    : ['ip', 'netns', 'exec', origin.namespace];
};

/** Run a script of this folder in the network of `origin`, with `input` as JSON, and give back what it answers. */
export async function runIn<T>(origin: Origin, script: string, input: unknown): Promise<T> {
  const [program = '', ...args] = [...enter(origin), process.execPath, script];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify(input));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (stdout === '') throw new Error(`${script} in ${JSON.stringify(origin)} said nothing: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/**
 * Try all targets at once. A packet may be lost on a busy machine, so those that are expected to be reached and were
 * not are tried again, a few times.
 */
export async function probe(
  origin: Origin,
  targets: readonly Target[],
  expected: (target: Target) => boolean = () => false,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  let open = targets;
  for (let attempt = 0; attempt < 4 && open.length > 0; attempt += 1) {
    const found = await runIn<Record<string, Outcome>>(origin, PROBER, { timeoutMs: TIMEOUT_MS, targets: open });
    for (const [id, outcome] of Object.entries(found)) outcomes.set(id, outcome);
    open = open.filter((target) => expected(target) && !reached(outcomes.get(target.id)));
  }
  return outcomes;
}
