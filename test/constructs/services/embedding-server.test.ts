import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IMAGES } from '../../../constructs/images.js';
import { EmbeddingServer, type EmbeddingServerProps } from '../../../constructs/services/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { failureOf } from '../../support/workloads.js';

const synth = (props: EmbeddingServerProps = {}) =>
  synthesiseWorkloads((stack) => void new EmbeddingServer(stack, 'embeddings', props));
const server = (props: EmbeddingServerProps = {}) => synth(props).container('embeddings');
const reason = 'the model is there already';
const folderOfHost = { source: { kind: 'host-folder', path: '/srv/model', reason } } as const;

describe('the start script', () => {
  const MARKER = '/models/.ragdock/deepvk--USER-bge-m3@main';
  const SNAPSHOT = 'hub/models--deepvk--USER-bge-m3/snapshots/abc';

  /** Run the container's entrypoint and command, with a server that prints its key and its arguments. */
  function start({ key = 'secret-key', marker = true, model = true, props = {} as EmbeddingServerProps }) {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'key'), key);
    for (const home of [join(folder, 'models', SNAPSHOT), join(folder, 'model'), join(folder, 'models/.ragdock')]) {
      mkdirSync(home, { recursive: true });
      if (model && !home.endsWith('.ragdock')) writeFileSync(join(home, 'config.json'), '{}');
    }
    if (marker) writeFileSync(join(folder, MARKER), SNAPSHOT);
    const program = join(folder, 'text-embeddings-router');
    writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$API_KEY" "$@"\n');
    chmodSync(program, 0o755);
    const { entrypoint, command } = server(props) as { entrypoint: string[]; command: string[] };
    const inFolder = (text: string) =>
      text
        .replace(/^\/run\/secrets\/embeddings-api-key\.v1$/, join(folder, 'key'))
        .replaceAll(/(?<=^|")\/model(?=s?(\/|$))/g, join(folder, 'model'));
    const path = `PATH=${folder}:/usr/bin:/bin`;
    return { folder, command, ended: run(['/usr/bin/env', path, ...entrypoint.map(inFolder), ...command]) };
  }

  test('finds the model by its marker, and hands the key over by a variable', async () => {
    const { folder, command, ended } = start({});
    const { code, stdout, stderr } = await ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const model = join(folder, 'models', SNAPSHOT);
    expect(stdout.trimEnd().split('\n')).toEqual(['secret-key', '--model-id', model, '--revision', 'abc', ...command]);
  });

  test('takes a folder of the host as it is', async () => {
    const { folder, command, ended } = start({ marker: false, props: { model: folderOfHost } });
    expect((await ended).stdout.trimEnd().split('\n')).toEqual([
      ...['secret-key', '--model-id', join(folder, 'model')],
      ...command,
    ]);
  });

  test.each(['', '\n'])('starts nothing with the key %j', async (key) => {
    const { code, stdout, stderr } = await start({ key }).ended;
    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toContain('is missing or empty: refusing to run without authentication');
  });

  test.each([
    ['no marker', { marker: false }],
    ['a marker that leads nowhere', { model: false }],
    ['an empty folder of the host', { model: false, props: { model: folderOfHost } }],
  ])('starts nothing with %s: the server would ask the internet for it', async (_what, what) => {
    const { code, stdout, stderr } = await start(what).ended;
    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toContain('leads to no model');
  });
});

test('refuses long texts instead of cutting them, and has limits that clients can rely on', () => {
  expect(server().command.join(' ')).toBe(
    '--served-model-name deepvk/USER-bge-m3 --hostname 0.0.0.0 --port 8080 --json-output --auto-truncate false ' +
      '--max-client-batch-size 32 --max-batch-tokens 16384 --max-concurrent-requests 512 --payload-limit 2000000',
  );
});

test('does not print the key that it prints at level info', () => {
  expect(server().env).toContain('LOG_LEVEL=info,text_embeddings_router=warn,text_embeddings_router::http=info');
});

test('computes on the processor, or on cards with the image and the entrypoint for them', () => {
  expect(Object.values(synth().images).map(({ name }) => name)).toContain(IMAGES.textEmbeddings);
  expect(server().entrypoint.at(-1)).toBe('text-embeddings-router');
  expect(server()).not.toHaveProperty('runtime');
  const props = { gpus: { devices: ['1'] } } as const;
  expect(Object.values(synth(props).images).map(({ name }) => name)).toContain(IMAGES.textEmbeddingsCuda);
  expect(server(props)).toMatchObject({ runtime: 'nvidia', env: expect.arrayContaining(['NVIDIA_VISIBLE_DEVICES=1']) });
  expect(server(props).entrypoint.at(-1)).toBe('/entrypoint.sh');
  expect(server({ gpus: { devices: 'all', handedOutBy: 'device-request' } })).toMatchObject({ gpus: 'all' });
});

test('a job downloads the model, and is the only one with a way out', () => {
  const { container, networks, files } = synth({
    volumeName: 'weights',
    model: { name: 'owner/model', source: { kind: 'download', revision: 'abc', token: true } },
  });
  const mount = (id: string) => container(id).mounts.find(({ target }: { target: string }) => target === '/models');
  expect(mount('embeddings')).toMatchObject({ source: 'weights', read_only: true });
  expect(mount('embeddings-model')).toMatchObject({ source: 'weights', read_only: false });
  expect(container('embeddings').depends_on).toContain('docker_container.embeddings-model');
  expect(container('embeddings').entrypoint).toContain('/models/.ragdock/owner--model@abc');
  expect(Object.keys(networks)).toEqual(['embeddings-model--egress']);
  expect(container('embeddings-model').env).toContain('HF_TOKEN_FILE=/run/secrets/embeddings-model-token.v1');
  expect(container('embeddings').env.join(' ')).not.toContain('TOKEN');
  expect(JSON.parse(files('embeddings-model_files')['/ragdock/etc-ragdock/settings.json'] ?? '')).toMatchObject({
    repository: 'owner/model',
    revision: 'abc',
    home: '/models',
  });
});

test('a folder of the host is read and never written, and nothing is downloaded', () => {
  const { container, containers } = synth({ model: folderOfHost });
  expect(container('embeddings').mounts).toContainEqual(
    expect.objectContaining({ type: 'bind', source: '/srv/model', target: '/model', read_only: true }),
  );
  expect(Object.keys(containers)).not.toContain('embeddings-model');
});

test('refuses limits that no request could meet, all at once', () => {
  const props = { maxClientBatchSize: 64, maxConcurrentRequests: 32, maxBatchTokens: 0, port: 80 };
  const problem = failureOf(() => synth(props));
  expect(problem.code).toBe('MODEL_INVALID');
  for (const part of [/64 texts are more than/, /max-batch-tokens: .* got 0/, /port: .* got 80/]) {
    expect(problem.message).toMatch(part);
  }
});
