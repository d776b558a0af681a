import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDING_METRICS } from '../../dashboards/metrics.js';
import { readScrape } from '../support/scrapes.js';
import { until } from '../support/until.js';
import { StandInProcess } from './process.js';

const PROGRAM = fileURLToPath(new URL('./tei/text-embeddings-router', import.meta.url));
const KEY = 'the-key';
const DIMENSION = 256;
const FOLDER = mkdtempSync(join(tmpdir(), 'ragdock-test-'));

/** A model of which there is everything but sense in its weights. */
function model(missing = ''): string {
  const folder = mkdtempSync(join(FOLDER, 'model-'));
  const files = {
    'config.json': JSON.stringify({ hidden_size: DIMENSION, model_type: 'bert', max_position_embeddings: 512 }),
    'tokenizer.json': '{}',
    'sentence_bert_config.json': '{"max_seq_length": 64}',
    'model.safetensors': 'weights',
  };
  for (const [name, content] of Object.entries(files)) {
    if (name !== missing) writeFileSync(join(folder, name), content);
  }
  return folder;
}

const start = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}, folder = model()) =>
  StandInProcess.start(PROGRAM, (port) => ({
    args: [
      '--model-id',
      folder,
      '--hostname',
      '127.0.0.1',
      '--port',
      String(port),
      '--auto-truncate',
      'false',
      ...args,
    ],
    env: { API_KEY: KEY, ...env },
  }));

let server: StandInProcess;
beforeAll(async () => {
  server = await (await start(['--served-model-name', 'owner/model', '--max-concurrent-requests', '40'])).ready();
});
afterAll(async () => {
  await server.stop();
  rmSync(FOLDER, { recursive: true });
});

const ask = (path: string, body?: unknown, key: string | undefined = KEY, at = server) =>
  fetch(`${at.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const embed = async (...inputs: string[]) => (await (await ask('/embed', { inputs })).json()) as number[][];

describe('the port', () => {
  test('is closed until the model is loaded', async () => {
    const loading = await start([], { TEI_STAND_IN_LOAD_SECONDS: '30' });
    // It has read its flags, so it is past everything that comes before the model.
    await until('it has read its flags', () => loading.printed().includes('Args'));
    await expect(fetch(`${loading.url}/health`)).rejects.toThrow('fetch failed');
    await loading.stop('SIGKILL');
  });

  test.each(['config.json', 'tokenizer.json', 'model.safetensors'])('never opens without %s', async (name) => {
    expect((await (await start([], {}, model(name))).ended).code).toBe(1);
  });

  test('never opens without the folder, or with texts longer than a batch', async () => {
    expect((await (await start([], {}, '/nowhere')).ended).stderr).toContain('is no folder');
    expect((await (await start(['--max-batch-tokens', '32'])).ended).stderr).toContain(
      'exceeds `--max-batch-tokens=32`',
    );
  });

  test('a flag that is none ends it with 2', async () => {
    expect((await (await start(['--no-such-flag'])).ended).code).toBe(2);
  });
});

describe('keys', () => {
  test('guard everything but what is public', async () => {
    for (const path of ['/health', '/ping', '/', '/metrics']) expect((await ask(path, undefined, '')).status).toBe(200);
    for (const path of ['/embed', '/v1/embeddings', '/rerank', '/']) {
      const refused = await ask(path, { inputs: 'a', input: 'a' }, 'wrong');
      expect([refused.status, await refused.text()]).toEqual([401, '']);
    }
    expect((await ask('/info', undefined, 'wrong')).status).toBe(401);
    expect((await ask('/info')).status).toBe(200);
  });

  test('are in the log at its own level, and not with what the construct sets', async () => {
    const printed = async (env: Readonly<Record<string, string>>) => {
      const running = await (await start([], env)).ready();
      await (await ask('/embed', { inputs: 'a text' }, KEY, running)).json();
      return (await running.stop()).stdout;
    };
    expect(await printed({})).toContain(KEY);
    const quiet = await printed({
      LOG_LEVEL: 'info,text_embeddings_router=warn,text_embeddings_router::http=info',
    });
    expect(quiet).not.toContain(KEY);
    expect(quiet).toContain('Ready');
    expect(quiet).toContain('Success');
  });
});

test('tells what it serves', async () => {
  expect(await (await ask('/info')).json()).toMatchObject({
    served_model_name: 'owner/model',
    max_input_length: 64,
    max_client_batch_size: 32,
    auto_truncate: false,
    model_type: { embedding: { pooling: 'cls' } },
  });
});

describe('vectors', () => {
  const cosine = (a: readonly number[] = [], b: readonly number[] = []) =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

  test('have the model’s dimension and the length 1, the same every time and by both protocols', async () => {
    const [one] = await embed('солнечные часы');
    expect(one).toHaveLength(DIMENSION);
    expect(cosine(one, one)).toBeCloseTo(1, 6);
    expect(await embed('солнечные часы')).toEqual([one]);
    const body = { input: 'солнечные часы', model: 'whatever' };
    const compatible = await (await ask('/v1/embeddings', body)).json();
    expect(compatible).toMatchObject({ object: 'list', model: 'owner/model', data: [{ index: 0, embedding: one }] });
    const coded = (await (await ask('/v1/embeddings', { ...body, encoding_format: 'base64' })).json()) as {
      data: [{ embedding: string }];
    };
    const numbers = new Float32Array(new Uint8Array(Buffer.from(coded.data[0].embedding, 'base64')).buffer);
    expect(numbers[0]).toBeCloseTo(one?.[0] ?? 1, 5);
  });

  test('of texts that share stems are closer than others', async () => {
    const [asked, near, far] = await embed(
      'Как устроены солнечные часы?',
      'Устройство солнечных часов: циферблат и гномон.',
      'Налоговая декларация подаётся до конца апреля.',
    );
    expect(cosine(asked, near)).toBeGreaterThan(cosine(asked, far) + 0.2);
  });
});

describe('refuses', () => {
  test.each([
    ['too many texts', '/embed', { inputs: Array(33).fill('a') }, 422, 'batch size 33 > maximum allowed batch size 32'],
    ['a text that is too long', '/embed', { inputs: 'word '.repeat(65) }, 422, 'must have less than 64 tokens'],
    ['a text that is too long', '/v1/embeddings', { input: 'word '.repeat(65) }, 422, '"type":"Validation"'],
    ['no text', '/embed', { inputs: [] }, 400, '"error_type":"Empty"'],
    ['an empty text', '/embed', { inputs: '' }, 400, 'cannot be empty'],
    ['no JSON', '/embed', '{', 400, 'Failed to parse'],
    ['another form', '/embed', { texts: 'a' }, 422, 'data did not match'],
    ['a failing backend', '/embed', { inputs: '[stand-in: fail]' }, 424, '"error_type":"Backend"'],
    ['a long request', '/embed', { inputs: 'a'.repeat(2_000_000) }, 413, 'length limit exceeded'],
  ])('%s at %s', async (_what, path, body, status, text) => {
    const answer = await ask(path, body);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(text);
  });

  test('but cuts a long text for who asks for it', async () => {
    expect((await ask('/embed', { inputs: 'word '.repeat(65), truncate: true })).status).toBe(200);
  });

  test('texts beyond its room while others are computed', async () => {
    const slow = await (
      await start(['--max-concurrent-requests', '4'], { TEI_STAND_IN_SECONDS_PER_TEXT: '1' })
    ).ready();
    const first = ask('/embed', { inputs: ['a', 'b'] }, KEY, slow);
    const open = async () => (await (await ask('/metrics', undefined, '', slow)).text()).includes('te_embed_count 2');
    await expect.poll(open).toBe(true);
    const refused = await ask('/embed', { inputs: ['c', 'd', 'e'] }, KEY, slow);
    expect([refused.status, await refused.json()]).toEqual([
      429,
      { error: 'Model is overloaded', error_type: 'Overloaded' },
    ]);
    // What is begun when it is told to end is answered.
    slow.child.kill('SIGTERM');
    expect((await first).status).toBe(200);
    expect((await slow.ended).code).toBe(0);
  });
});

test('measures what the alerts ask for', async () => {
  await embed('a text');
  await ask('/embed', { inputs: '[stand-in: fail]' });
  const scrape = readScrape(await (await ask('/metrics', undefined, '')).text());
  for (const { name, type, labels } of Object.values(EMBEDDING_METRICS)) {
    expect(scrape.get(name), name).toMatchObject({ type });
    for (const label of labels) expect(scrape.get(name)?.labels, name).toContain(label);
  }
  expect(scrape.get('te_request_duration')).toEqual({ type: 'histogram', labels: new Set(['le']) });
  expect(scrape.get('te_request_count')).toEqual({ type: 'counter', labels: new Set(['method']) });
});
