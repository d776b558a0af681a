import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { embeddingChecks } from '../../src/apps/operator/smoke/embeddings.js';
import { json, ScriptedServer } from '../support/http-server.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

const KEY = 'the-key-of-the-server';

let server: ScriptedServer;
let served: string;
let vector: unknown;
let open: boolean;

beforeEach(async () => {
  served = 'owner/model';
  vector = [0.6, 0, 0.8];
  open = false;
  server = await ScriptedServer.start(({ path, headers }, response) => {
    if (!open && headers.authorization !== `Bearer ${KEY}`) return void response.writeHead(401).end();
    if (path === '/info') return json(response, 200, { model_id: '/models/x', served_model_name: served });
    return json(response, 200, { object: 'list', data: [{ index: 0, embedding: vector }] });
  });
});

afterEach(() => server.close());

const checks = (key = KEY) =>
  embeddingChecks({
    ...({ kind: 'embeddings', id: 'embeddings', needs: [], url: server.url } as const),
    ...{ keyFile: secretFile(key), model: 'owner/model', dimension: 3 },
  });
const soon = () => AbortSignal.timeout(5000);
const check = (name: string): Promise<void> =>
  checks()
    .checks.find((it) => it.name === name)
    ?.run(soon()) ?? Promise.reject(new Error(`there is no check '${name}'`));

test('a server that has its model, its key and its dimension passes', async () => {
  await checks().ready(soon());
  for (const { name } of checks().checks) await check(name);
});

test('a server with another model is not ready, and never will be', async () => {
  served = 'other/model';
  expect(await failureOf(checks().ready(soon()))).toMatchObject({
    final: true,
    finding: { expected: 'the model owner/model', came: 'the model other/model' },
  });
});

test('a server with another key is not ready, and never will be', async () => {
  expect(await failureOf(checks('another-key').ready(soon()))).toMatchObject({ final: true });
});

test('a server that takes everybody fails', async () => {
  open = true;
  const { finding } = await failureOf(check('refuses a wrong key'));
  expect(finding).toMatchObject({ asked: expect.stringContaining('with no key'), expected: '401', came: '200' });
});

describe('a vector is none', () => {
  test.each([
    ['of another length', [1, 0], '2 numbers'],
    ['of nothing', [0, 0, 0], 'a vector of nothing'],
    ['in another form', 'AAAA', 'no vector'],
  ])('%s', async (_what, it, came) => {
    vector = it;
    expect((await failureOf(check('makes a vector'))).finding).toMatchObject({ expected: '3 numbers', came });
  });
});
