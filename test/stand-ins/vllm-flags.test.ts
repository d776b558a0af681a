import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { vllmFlagProblems } from '../../constructs/services/vllm/flags.js';
import { runToEnd } from './vllm/harness/server.js';

const read = (name: string): string => readFileSync(new URL(`../recordings/vllm/${name}`, import.meta.url), 'utf8');

interface Parse {
  readonly args: readonly string[];
  readonly result: string | Readonly<Record<string, unknown>>;
}

/** Addresses of Python's functions differ from run to run. */
const plain = (text: string): string => text.replace(/0x[0-9a-f]+/g, '0x');

test('refuses what the recorded parser refused, in its words', async () => {
  const refused = (JSON.parse(read('flag_parsing.json')) as readonly Parse[]).filter(
    (parse): parse is Parse & { readonly result: string } => typeof parse.result === 'string',
  );
  expect(refused.length).toBeGreaterThan(8);
  for (const { args, result } of refused) {
    const { code, stderr } = await runToEnd(args);
    const [, exit = '', message = ''] = /^exit (\d+): vllm(?: serve)?: error: (.*)$/s.exec(result) ?? [];
    expect(code, args.join(' ')).toBe(Number(exit));
    const said = plain(stderr.split('error: ').at(-1) ?? '');
    // The recording cuts long messages off.
    expect(said.startsWith(plain(message).slice(0, 200)), `${args.join(' ')}: ${said}`).toBe(true);
  }
});

test('ends a start with a wrong flag with the recorded exit code', async () => {
  const codes = new Map(
    read('bad-flags.tsv')
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', outcome = ''] = line.split('\t');
        return [name, Number(/exit (\d+)/.exec(outcome)?.[1])] as const;
      }),
  );
  const starts: Readonly<Record<string, readonly string[]>> = {
    disable_log_requests: ['--disable-log-requests'],
    dtype_nonsense: ['--dtype', 'int3'],
    gpu_mem_1_5: ['--gpu-memory-utilization', '1.5'],
    port_wrong_type: ['--port', 'eighty'],
    swap_space: ['--swap-space', '4'],
    task_generate: ['--task', 'generate'],
    unknown_flag: ['--no-such-flag'],
    wrong_type: ['--max-model-len', 'abc'],
  };
  for (const [name, args] of Object.entries(starts)) {
    expect((await runToEnd(args)).code, name).toBe(codes.get(name));
  }
  const left = [...codes.keys()].filter((name) => !(name in starts));
  console.log(
    `${Object.keys(starts).length} starts as recorded; not applicable, for want of a model or a file: ${left.join(', ')}`,
  );
});

test('every spelling that ragdock passes on is one that this parser takes', async () => {
  expect(vllmFlagProblems({ 'kv-cache-dtype': 'fp8', seed: 1 })).toEqual([]);
  const { stderr } = await runToEnd(['m', '--kv-cache-dtype=fp8', '--seed=x']);
  expect(stderr).toContain('argument --seed: invalid int value');
});
