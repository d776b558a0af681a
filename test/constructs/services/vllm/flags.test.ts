import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LEAST_ONE, OWNED, RANGES } from '../../../../constructs/services/vllm/flag-rules.js';
import { FLAG_TABLE } from '../../../../constructs/services/vllm/flag-table.js';
import { amountOf, vllmFlagArguments, vllmFlagProblems } from '../../../../constructs/services/vllm/flags.js';

const recording = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../recordings/vllm/${name}`, import.meta.url), 'utf8')) as T;

/** `flag: message` and the remedy of each problem. */
const told = (flags: Record<string, unknown>) =>
  vllmFlagProblems(flags).map(({ flag, message, remedy }) => [`${flag}: ${message}`, remedy]);

describe('names', () => {
  test.each<[string, unknown, RegExp, RegExp]>([
    ['max_num_batched_tokens', 1, /spelled with dashes/, /`max-num-batched-tokens`/],
    ['--seed', 1, /without dashes in front/, /`seed`/],
    ['max-num-batched', 1, /an abbreviation of --max-num-batched-tokens/, /`max-num-batched-tokens`/],
    ['max-model', 100, /an abbreviation of --max-model-len/, /maxModelLen/],
    ['gpu-memory-util', 0.5, /an abbreviation of --gpu-memory-utilization/, /gpuMemoryUtilization/],
    ['enable-prefix-cachign', true, /has no flag --enable-prefix-cachign/, /Did you mean `enable-prefix-caching`/],
    ['utterly-unknown-thing', true, /has no flag/, /--help/],
    ['no-enable-prefix-caching', true, /the negative of a switch/, /`enable-prefix-caching: false`/],
    ['dcp', 2, /short name of --decode-context-parallel-size/, /`decode-context-parallel-size`/],
    ['tp', 2, /short name of --tensor-parallel-size/, /tensorParallelSize/],
    ['override-generation-config.temperature', 0.2, /sets a part of/, /a mapping with all of its parts/],
    ['disable-log-requests', true, /no flag --disable-log-requests any more/, /enable-log-requests/],
    ['swap-space', 4, /any more/, /kv-offloading-size/],
    ['swap_space', 4, /any more/, /kv-offloading-size/],
    ['task', 'generate', /any more/, /runner: generate/],
  ])('%s', (flag, value, message, remedy) => {
    const problems = vllmFlagProblems({ [flag]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.remedy).toMatch(remedy);
  });

  test.each(['api-key', 'hf-token', 'api_key', '--hf-token'])('%s would be a secret for everybody to see', (flag) => {
    const [problem] = vllmFlagProblems({ [flag]: 'hf_abcdefghijklmnop' });
    expect(problem?.message).toMatch(/would put a secret into/);
    expect(JSON.stringify(problem)).not.toContain('abcdefghijklmnop');
  });

  test.each(['host', 'port', 'model', 'served-model-name', 'config', 'shutdown-timeout', 'ssl-keyfile', 'uds'])(
    '%s is not for users to set',
    (flag) => expect(vllmFlagProblems({ [flag]: 'x' })).toHaveLength(1),
  );

  test('rules speak of flags that there are', () => {
    const names = new Set([...FLAG_TABLE.matchAll(/--(\S+)/g)].map(([, name]) => name));
    expect([...Object.keys(OWNED), ...LEAST_ONE, ...Object.keys(RANGES)].filter((name) => !names.has(name))).toEqual(
      [],
    );
  });
});

describe('values', () => {
  test.each<[string, unknown]>([
    ['enable-prefix-caching', true],
    ['enable-prefix-caching', false],
    ['aggregate-engine-logging', true],
    ['seed', 0],
    ['max-num-batched-tokens', 8192],
    ['max-num-batched-tokens', '8K'],
    ['kv-cache-memory-bytes', '4G'],
    ['kv-cache-dtype', 'fp8'],
    ['max-lora-rank', 16],
    ['override-generation-config', { temperature: 0.2 }],
    ['override-generation-config', '{"temperature":0.2}'],
    ['hf-overrides', { architectures: ['BgeM3EmbeddingModel'] }],
    ['allowed-origins', ['*']],
    ['allowed-media-domains', ['a.example', 'b.example']],
    ['allowed-media-domains', 'a.example'],
    ['cudagraph-capture-sizes', [1, 2, 4]],
    ['cpu-offload-gb', 1.5],
    ['max-logprobs', -1],
    ['sse-keep-alive-interval', 0],
  ])('%s: %j', (flag, value) => expect(told({ [flag]: value })).toEqual([]));

  test.each<[string, unknown, RegExp]>([
    ['enable-prefix-caching', 'false', /expected true or false, got "false"/],
    ['enable-prefix-caching', 1, /expected true or false/],
    ['aggregate-engine-logging', false, /expected true, got false/],
    ['seed', '16k', /expected a whole number, got "16k"/],
    ['seed', 1.5, /expected a whole number/],
    ['max-num-batched-tokens', '8Q', /2k \(2000\) or 2K \(2048\)/],
    ['max-num-batched-tokens', 0, /at least 1, got 0/],
    ['num-gpu-blocks-override', -3, /at least 1/],
    ['cpu-offload-gb', '1', /expected a number/],
    ['cpu-offload-gb', -1, /at least 0/],
    ['data-parallel-rpc-port', 70_000, /at most 65535, got 70000/],
    ['kv-cache-dtype', 'int8', /expected one of auto, bfloat16/],
    ['uvicorn-log-level', 'verbose', /expected one of critical, debug/],
    ['max-lora-rank', 7, /expected one of 1, 8, 16/],
    ['override-generation-config', '{a:1}', /expected a mapping, got/],
    ['allowed-media-domains', [], /at least one value/],
    ['chat-template', '', /expected a text/],
    ['chat-template', null, /expected a text, got null/],
  ])('%s: %j is refused', (flag, value, message) => {
    const problems = vllmFlagProblems({ [flag]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.remedy).not.toBe('');
  });

  test('the nearest choice is named', () => {
    expect(told({ 'kv-cache-dtype': 'fp8_e4m' })[0]?.[1]).toBe('Did you mean `fp8_e4m3`?');
  });

  test('every problem at once, and one flag under two names once', () => {
    expect(
      vllmFlagProblems({ task: 'x', seed: 'x', 'kv-cache-dtype': 'x', 'max-num-batched-tokens': 1 }).map(
        (it) => it.flag,
      ),
    ).toEqual(['task', 'seed', 'kv-cache-dtype']);
    expect(told({ seed: 1, '--seed': 2 })).toHaveLength(1);
  });

  test('units are those of the server', () => {
    expect(['2k', '2K', '1.5k', '4G', 100, '100', '-1', 'auto'].map(amountOf)).toEqual([
      ...[2000, 2048, 1500, 4_294_967_296, 100],
      ...[undefined, undefined, undefined],
    ]);
  });
});

test('arguments are spelled as the parser takes them, whatever the order', () => {
  expect(
    vllmFlagArguments({
      seed: 7,
      'enable-prefix-caching': false,
      'enable-log-requests': true,
      'disable-log-stats': false,
      'allowed-media-domains': ['a', 'b'],
      'allowed-origins': ['*'],
      'override-generation-config': { temperature: 0.2 },
      'max-logprobs': -1,
    }),
  ).toEqual([
    ...['--allowed-media-domains', 'a', 'b', '--allowed-origins=["*"]', '--enable-log-requests'],
    ...['--no-enable-prefix-caching', '--max-logprobs=-1', '--override-generation-config={"temperature":0.2}'],
    '--seed=7',
  ]);
});

describe('what the real parser was seen to do with arguments', () => {
  interface Parse {
    readonly args: readonly string[];
    readonly result: string | Readonly<Record<string, unknown>>;
  }

  /** Arguments as the mapping that a YAML file would hold. Undefined for what no mapping can say. */
  function mappingOf(args: readonly string[]): Record<string, unknown> | undefined {
    const [flag = '', value, ...rest] = args;
    if (!/^-/.test(flag) || rest.length > 0) return undefined;
    const [name = '', attached] = flag.split('=');
    const text = attached ?? value;
    return { [name.replace(/^-+/, '')]: text === undefined ? true : /^-?[\d.]+$/.test(text) ? Number(text) : text };
  }

  const parses = recording<readonly Parse[]>('flag_parsing.json').flatMap(({ args, result }) => {
    const mapping = mappingOf(args);
    return mapping ? [[args.join(' '), mapping, result] as const] : [];
  });

  test('the recording is long enough to mean something', () => expect(parses.length).toBeGreaterThan(30));

  test.each(parses.filter(([, , result]) => typeof result === 'string'))('%s is refused here too', (_args, flags) => {
    expect(vllmFlagProblems(flags)).toHaveLength(1);
  });
});
