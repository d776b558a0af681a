import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { IMAGES } from '../../constructs/images.js';
import { RagdockError } from '../../src/errors/problem.js';
import { modelDestination } from '../../src/operator/model-import.js';
import { devWith } from '../docs/support/dev.js';
import { brief, problemsOf } from './problems.js';
import { MINIMAL, project } from './project.js';

/** An environment with servers of vLLM; each is a mapping in one line, without braces. */
const servers = (...lines: readonly string[]): string =>
  [
    'schema: 1',
    'services:',
    '  llm:',
    ...lines.map((line, index) => `    m${index}: {engine: vllm, ${line}}`),
    '  api: {courses: [demo], llm: m0}',
    '',
  ].join('\n');
const MODEL = 'model: {name: owner/model}, maxModelLen: 4096';
const told = (yaml: string) =>
  problemsOf(yaml).map((problem) => `${brief(problem).split(' ').at(-1)}: ${problem.message}`);

test('the least that a server needs is accepted, with the server’s own defaults', () => {
  const { settings } = loadEnvironment('dev', { cwd: project({ 'dev.yaml': servers(MODEL) }) });
  expect(settings.services.llm.m0).toMatchObject({
    engine: 'vllm',
    port: 8010,
    memory: 16_384,
    gpuMemoryUtilization: 0.92,
    restart: 'unless-stopped',
    sampling: { maxTokens: 1024 },
  });
});

test('both engines side by side', () => {
  const yaml = MINIMAL.replace('    main:\n', `    big: {engine: vllm, ${MODEL}}\n    main:\n`);
  expect(problemsOf(yaml)).toEqual([]);
});

test('wrong flags are told all at once, each at its line with its remedy', () => {
  const yaml = `schema: 1
services:
  llm:
    m0:
      engine: vllm
      model: {name: owner/model}
      maxModelLen: 4096
      flags:
        max_num_batched_tokens: 100
        swap-space: 4
        disable-log-requests: true
        api-key: sk-0123456789abcdef0123456789
        port: 70000
        max-num-seqs: 0
        kv-cache-dtype: int8
        enable-prefix-cachign: true
        seed: 16k
  api: {courses: [demo], llm: m0}
`;
  const problems = problemsOf(yaml);
  expect(problems.map(({ code, line, path }) => [code, line, path?.split('.').at(-1)])).toEqual(
    [
      'max_num_batched_tokens',
      'swap-space',
      'disable-log-requests',
      'api-key',
      'port',
      'max-num-seqs',
      'kv-cache-dtype',
      'enable-prefix-cachign',
      'seed',
    ].map((flag, index) => ['CONFIG_RULE', 9 + index, flag]),
  );
  for (const { remedy } of problems) expect(remedy).toBeTruthy();
  expect(JSON.stringify(problems)).not.toContain('0123456789abcdef');
});

describe('settings that contradict each other', () => {
  test.each<[string, string, RegExp]>([
    ['room for a question', `${MODEL}, sampling: {maxTokens: 4096}`, /maxTokens: 4096 tokens .* \(maxModelLen\)$/],
    [
      'no place on the host',
      'model: {name: o/m, onHost: {acknowledge: it is there}}, maxModelLen: 4096',
      /onHost: it names no place/,
    ],
    [
      'two places on the host',
      'model: {name: o/m, onHost: {cache: /a, folder: /b, acknowledge: it is there}}, maxModelLen: 4096',
      /onHost: it names a cache and a folder/,
    ],
    [
      'a volume without a download',
      'model: {name: o/m, onHost: {cache: /a, acknowledge: it is there}}, maxModelLen: 4096, volume: vv',
      /volume: with `model\.onHost` nothing is downloaded/,
    ],
    ['too few cards', `${MODEL}, tensorParallelSize: 2, gpus: {devices: ["0"]}`, /devices: it may use 1 of the 2/],
    ['one card twice', `${MODEL}, gpus: {devices: ["0", "0"]}`, /the graphics card 0 is named twice/],
    ['shared memory', `${MODEL}, memory: 1GiB, sharedMemory: 1GiB`, /sharedMemory: 1024 MiB of shared memory/],
  ])('%s', (_what, server, message) => {
    expect(told(servers(server))).toEqual([expect.stringMatching(message)]);
  });

  test('shares of one card add up to 1 at most', () => {
    const half = (more: string) => `${MODEL}, gpuMemoryUtilization: 0.6${more}`;
    expect(told(servers(half(''), half('')))).toEqual([
      expect.stringMatching(/m1\.gpuMemoryUtilization: with services\.llm\.m0 on the same .* would take 1\.2 /),
    ]);
    const apart = [half(', gpus: {devices: ["0"]}'), half(', gpus: {devices: ["1"]}')];
    expect(told(servers(...apart))).toEqual([]);
    expect(told(servers(...apart, half(', gpus: {devices: ["1"]}')))).toHaveLength(1);
  });
});

describe('the engine tells which settings there are', () => {
  test.each([
    ['a wrong engine', 'engine: vlm', /expected one of llama\.cpp, vllm, openai, got "vlm"/, /Did you mean `vllm`/],
    ['no engine', 'memory: 4GiB', /`engine` is missing/, /one of llama\.cpp, vllm/],
  ])('%s is the only thing told of the model', (_what, line, message, remedy) => {
    const problems = problemsOf(MINIMAL.replace('engine: llama.cpp', line));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.remedy).toMatch(remedy);
  });

  test('settings of the other engine are not known', () => {
    const [problem] = problemsOf(servers(`${MODEL}, contextLength: 8192`));
    expect(problem).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY', message: expect.stringContaining('"contextLength"') });
    expect(problem?.remedy).toContain('maxModelLen');
  });

  test('what is missing is asked for by the engine that was chosen', () => {
    expect(told(servers('model: {name: owner/model}'))).toEqual([expect.stringMatching(/`maxModelLen` is missing/)]);
  });
});

describe('where a model is imported to', () => {
  const destination = (server: string) =>
    modelDestination(loadEnvironment('dev', { cwd: project({ 'dev.yaml': servers(server) }) }));

  test('the volume of a vLLM server gets a folder, for its user', () => {
    expect(destination(`${MODEL}, user: "1000:1001"`)).toEqual({
      kind: 'folder',
      volume: 'dev-llm-m0-models',
      image: IMAGES.vllm,
      repository: 'owner/model',
      revision: 'main',
      owner: { uid: 1000, gid: 1001 },
    });
  });

  test('a server that reads a folder of its host has no volume for it', () => {
    try {
      destination('model: {name: o/m, onHost: {cache: /a, acknowledge: it is there}}, maxModelLen: 4096');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(RagdockError);
      expect((error as RagdockError).problems[0]).toMatchObject({
        code: 'USAGE',
        path: 'services.llm.m0.model.onHost',
        remedy: expect.stringContaining('remove `model.onHost`'),
      });
    }
  });
});

test('the API asks under the served name, within the context, and Prometheus needs no key', () => {
  const stack = devWith({
    services: {
      llm: { main: { engine: 'vllm', model: { name: 'owner/model', servedName: 'saiga' }, maxModelLen: 4096 } },
    },
  });
  expect(JSON.parse(stack.files('rag-api_files')['/ragdock/etc-ragdock/settings.json'] ?? '').llm).toMatchObject({
    model: 'saiga',
    contextTokens: 4096,
  });
  const scraped = stack.files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml'] ?? '';
  expect(scraped).toContain('dev-llm-main:8010');
  expect(scraped).not.toContain('llm-main-api-key');
});
