import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LlamaCppServer, type LlamaCppServerProps } from '../../../constructs/services/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';

const model = { name: 'SmolLM2', file: 'smol.gguf', url: 'https://models.example/smol.gguf', sha256: 'a'.repeat(64) };
const synth = (props: Partial<LlamaCppServerProps> = {}) =>
  synthesiseWorkloads((stack) => void new LlamaCppServer(stack, 'llm-main', { model, ...props }));

describe('the start script', () => {
  const SERVER = '/app/llama-server';

  /** Run the container's entrypoint and command, with a server that prints its arguments. */
  function start(key: string | undefined) {
    const folder = temporaryFolder();
    const keyFile = join(folder, 'key');
    const server = join(folder, 'llama-server');
    if (key !== undefined) writeFileSync(keyFile, key);
    writeFileSync(server, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    chmodSync(server, 0o755);
    const { entrypoint, command } = synth().container('llm-main');
    expect(entrypoint[2]).toContain(`exec ${SERVER} `);
    expect(entrypoint.at(-1)).toBe('/run/secrets/llm-main-api-key.v1');
    const started = entrypoint.slice(0, -1).map((part: string) => part.replace(SERVER, server));
    return run([...started, keyFile, ...command]).then((ended) => ({ ...ended, keyFile }));
  }

  test('hands the key file and every argument to the server', async () => {
    const { code, stdout, stderr, keyFile } = await start('secret-key');

    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual(['--api-key-file', keyFile, ...synth().container('llm-main').command]);
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

test('serves the model under its name, with room for the prompts of all parallel requests', () => {
  expect(synth({ contextLength: 4096, parallel: 2, threads: 3 }).container('llm-main').command).toEqual([
    ...['--model', '/models/smol.gguf', '--alias', 'SmolLM2', '--ctx-size', '4096', '--parallel', '2'],
    ...['--threads', '3', '--host', '0.0.0.0', '--port', '8080', '--metrics', '--no-webui'],
  ]);
  expect(synth().container('llm-main').command).not.toContain('--threads');
});

test('reads the model from a volume that only the model job writes', () => {
  const { container } = synth({ volumeName: 'models' });
  const mount = (id: string) =>
    container(id).mounts.find(({ target }: { target: string }) => target === '/models') as object;

  expect(mount('llm-main')).toMatchObject({ source: 'models', read_only: true });
  expect(mount('llm-main-model')).toMatchObject({ source: 'models', read_only: false });
  expect(container('llm-main').depends_on).toContain('docker_container.llm-main-model');
});

test('the model job is told what to download, and is the only one with a way out', () => {
  const { container, files, networks } = synth();

  expect(JSON.parse(files('llm-main-model_files')['/ragdock/etc-ragdock/settings.json'] ?? '')).toMatchObject({
    url: model.url,
    file: '/models/smol.gguf',
    sha256: model.sha256,
  });
  expect(Object.keys(networks)).toEqual(['llm-main-model--egress']);
  expect(container('llm-main').network_mode).toBe('none');
});
