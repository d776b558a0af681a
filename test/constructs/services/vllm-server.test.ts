import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VllmServer, type VllmServerProps } from '../../../constructs/services/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { failureOf } from '../../support/workloads.js';

const NAME = 'NightForger/saiga_nemo_12b-GPTQ';
const synth = (props: Partial<VllmServerProps> = {}) =>
  synthesiseWorkloads((stack) => void new VllmServer(stack, 'llm-main', { model: { name: NAME }, ...props }));
const server = (props: Partial<VllmServerProps> = {}) => synth(props).container('llm-main');
const reason = 'the model is there already';

describe('the start script', () => {
  /** Run the container's entrypoint and command, with a server that prints its key and its arguments. */
  function start(key: string | undefined) {
    const folder = temporaryFolder();
    const keyFile = join(folder, 'key');
    if (key !== undefined) writeFileSync(keyFile, key);
    writeFileSync(join(folder, 'vllm'), '#!/bin/sh\nprintf "%s\\n" "$VLLM_API_KEY" "$@"\n');
    chmodSync(join(folder, 'vllm'), 0o755);
    const { entrypoint, command } = server();
    expect(entrypoint.at(-1)).toBe('/run/secrets/llm-main-api-key.v1');
    const path = `PATH=${folder}:/usr/bin:/bin`;
    return run(['/usr/bin/env', path, ...entrypoint.slice(0, -1), keyFile, ...command]);
  }

  test('hands the key over by a variable, and every argument', async () => {
    const { code, stdout, stderr } = await start('secret-key');

    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual(['secret-key', 'serve', ...server().command]);
    expect(server().command.join(' ')).not.toContain('key');
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['holds a line end alone', '\n'],
  ])('starts nothing when the key file %s', async (_what, key) => {
    const { code, stdout, stderr } = await start(key);

    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toContain('is missing or empty: refusing to run without authentication');
  });
});

test('serves the guide’s model with the guide’s flags', () => {
  const { command } = server({
    maxModelLen: 20_000,
    trustRemoteCode: true,
    gpuMemoryUtilization: 0.95,
    flags: { 'max-num-batched-tokens': '8K', 'enable-prefix-caching': false },
  });

  expect(command).toEqual([
    NAME,
    ...['--gpu-memory-utilization=0.95', '--host=0.0.0.0', '--max-model-len=20000', '--port=8010'],
    ...[`--served-model-name=${NAME}`, '--shutdown-timeout=30', '--trust-remote-code'],
    ...['--no-enable-prefix-caching', '--max-num-batched-tokens=8K'],
  ]);
});

test('every typed option is a flag', () => {
  const { command } = server({
    model: { name: NAME, servedName: 'saiga', source: { kind: 'download', revision: 'abc' } },
    port: 8011,
    dtype: 'half',
    quantization: 'gptq',
    maxNumSeqs: 8,
    tensorParallelSize: 2,
    enforceEager: true,
  });

  expect(command).toEqual([
    NAME,
    ...['--dtype=half', '--enforce-eager', '--host=0.0.0.0', '--max-num-seqs=8', '--port=8011', '--quantization=gptq'],
    ...['--revision=abc', '--served-model-name=saiga', '--shutdown-timeout=30', '--tensor-parallel-size=2'],
  ]);
});

test('open answers get their time before the kill', () => {
  expect(server({ shutdownTimeoutSeconds: 100 })).toMatchObject({ destroy_grace_seconds: 115, stop_timeout: 115 });
  expect(server()).toMatchObject({ destroy_grace_seconds: 45, restart: 'unless-stopped' });
  expect(server({ restart: 'always' }).restart).toBe('always');
});

test('has graphics cards and shared memory for each of them', () => {
  expect(server()).toMatchObject({ runtime: 'nvidia', shm_size: 1024, memory: 16_384 });
  expect(server().env).toContain('NVIDIA_VISIBLE_DEVICES=all');
  expect(server({ tensorParallelSize: 2, gpus: { devices: ['0', '1'] } })).toMatchObject({ shm_size: 2048 });
});

test('is offline, reports nothing, and writes to its cache and to memory alone', () => {
  const { env, mounts, network_mode } = server();
  expect(env).toEqual(expect.arrayContaining(['HF_HUB_OFFLINE=1', 'VLLM_NO_USAGE_STATS=1', 'HF_HOME=/models']));
  expect(network_mode).toBe('none');
  const writable = mounts.filter(({ read_only }: { read_only?: boolean }) => read_only !== true);
  expect(writable.map(({ target }: { target: string }) => target)).toEqual(['/cache', '/tmp']);
});

test('a job downloads the model, and is the only one with a way out', () => {
  const { container, files, networks } = synth({
    volumeName: 'weights',
    model: { name: NAME, source: { kind: 'download', revision: 'abc', token: true } },
  });
  const mount = (id: string) =>
    container(id).mounts.find(({ target }: { target: string }) => target === '/models') as object;

  expect(mount('llm-main')).toMatchObject({ source: 'weights', read_only: true });
  expect(mount('llm-main-model')).toMatchObject({ source: 'weights', read_only: false });
  expect(container('llm-main').depends_on).toContain('docker_container.llm-main-model');
  expect(container('llm-main-model').user).toBe('2000:2000');
  expect(JSON.parse(files('llm-main-model_files')['/ragdock/etc-ragdock/settings.json'] ?? '')).toMatchObject({
    repository: NAME,
    revision: 'abc',
    home: '/models',
  });
  expect(Object.keys(networks)).toEqual(['llm-main-model--egress']);
  // The token is the job's alone.
  expect(container('llm-main-model').env).toContain('HF_TOKEN_FILE=/run/secrets/llm-main-model-token.v1');
  expect(Object.keys(files('llm-main_files'))).toEqual(['/ragdock/secrets/llm-main-api-key.v1']);
});

test('a cache or a folder that the host has is read in place of a download', () => {
  const cache = synth({ model: { name: NAME, source: { kind: 'host-cache', path: '/home/me/hf', reason } } });
  expect(cache.container('llm-main').mounts).toContainEqual(
    expect.objectContaining({ type: 'bind', source: '/home/me/hf', target: '/models', read_only: true }),
  );
  expect(Object.keys(cache.containers).sort()).toEqual(['llm-main', 'llm-main_files']);

  const folder = server({ model: { name: NAME, source: { kind: 'host-folder', path: '/srv/saiga', reason } } });
  expect(folder.mounts).toContainEqual(expect.objectContaining({ source: '/srv/saiga', target: '/model' }));
  expect(folder.command.slice(0, 1)).toEqual(['/model']);
  expect(folder.command).toContain(`--served-model-name=${NAME}`);
});

test('wrong options and flags are told all at once', () => {
  const problem = failureOf(() =>
    synth({
      port: 70_000,
      gpuMemoryUtilization: 1.5,
      maxNumSeqs: 0,
      tensorParallelSize: 0,
      dtype: 'fp16',
      flags: { 'swap-space': 4, seed: 'x', 'api-key': 'k' },
    }),
  );
  expect(problem.code).toBe('MODEL_INVALID');
  const told = [/port: expected .* got 70000/, /gpuMemoryUtilization: .* got 1.5/, /maxNumSeqs: .* got 0/];
  for (const part of [
    ...told,
    /tensorParallelSize: /,
    /dtype: expected one of/,
    /swap-space: /,
    /seed: /,
    /api-key: /,
  ]) {
    expect(problem.message).toMatch(part);
  }
});

describe('the health check', () => {
  const probe = (...more: readonly string[]): readonly string[] => {
    const [, program, option, source] = server().healthcheck.test as string[];
    return [program ?? '', option ?? '', source ?? '', ...more];
  };

  test('has time for large models, and looks at tokens only where asked', () => {
    expect(server().healthcheck).toMatchObject({ start_period: '30m0s', timeout: '10s' });
    expect(server().healthcheck.test.at(-1)).toBe('http://127.0.0.1:8010');
    expect(server({ stallSeconds: 90, startPeriodSeconds: 60 }).healthcheck).toMatchObject({ start_period: '1m0s' });
    expect(server({ stallSeconds: 90 }).healthcheck.test.at(-1)).toBe('90');
  });

  test('fails where nobody listens', async () => {
    expect((await run(probe('http://127.0.0.1:9'))).code).toBe(1);
  });
});
