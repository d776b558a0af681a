import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findModel, type ModelServerOptions } from '../../src/embedded/model-server.js';
import { RagdockError } from '../../src/errors/problem.js';
import { temporaryFolder } from '../support/folder.js';
import { closedPort, type Handler, json, ScriptedServer } from '../support/http-server.js';

const KEY = 'sk-very-secret-key';

const listing =
  (...data: unknown[]): Handler =>
  (_request, response) =>
    json(response, 200, { object: 'list', data });

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start(listing({ id: 'saiga', object: 'model', max_model_len: 8192 }, { id: 'qwen' }));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

const find = (options: Partial<ModelServerOptions> = {}) =>
  findModel({ url: server.url, ...options }, new AbortController().signal);

function keyFile(content: string): string {
  const file = join(temporaryFolder(), 'key');
  writeFileSync(file, content);
  return file;
}

async function refusalOf(options: Partial<ModelServerOptions>): Promise<RagdockError> {
  const error = await find(options).then(
    () => new Error('a model was found'),
    (cause: unknown) => cause,
  );
  if (error instanceof RagdockError) return error;
  throw error;
}

describe('a model server', () => {
  test('is asked for its models, and the first one is taken with its context', async () => {
    expect(await find()).toEqual({ url: server.url, model: 'saiga', contextTokens: 8192, key: undefined });
    expect(server.requests).toMatchObject([{ method: 'GET', path: '/v1/models' }]);
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test.each(['', '/', '/v1', '/v1/', '/v1//'])('may be named with %j behind its address', async (suffix) => {
    expect((await find({ url: `${server.url}${suffix}` })).url).toBe(server.url);
    expect(server.requests[0]?.path).toBe('/v1/models');
  });

  test('may stand below a path', async () => {
    expect((await find({ url: `${server.url}/llm/v1` })).url).toBe(`${server.url}/llm`);
    expect(server.requests[0]?.path).toBe('/llm/v1/models');
  });

  test.each<[string, Partial<ModelServerOptions>, number]>([
    ['what the server says', { model: 'saiga' }, 8192],
    ['4096 where it does not', { model: 'qwen' }, 4096],
    ['what was asked for', { model: 'saiga', contextTokens: 2048 }, 2048],
  ])('has the context: %s', async (_, options, contextTokens) => {
    expect(await find(options)).toMatchObject({ model: options.model, contextTokens });
  });

  test.each(['max_model_len', 'other'])('may say null or nothing for %s', async (field) => {
    server.handler = listing({ id: 'saiga', [field]: null });
    expect(await find()).toMatchObject({ contextTokens: 4096 });
  });
});

test('a model whose context holds no answer with its material is refused', async () => {
  server.handler = listing({ id: 'small', max_model_len: 1024 });
  const { problems } = await refusalOf({});
  expect(problems[0]).toMatchObject({ code: 'USAGE', message: expect.stringContaining('1024 tokens') });
});

test('an address with a query is refused, and the key in it is not shown', async () => {
  const { problems } = await refusalOf({ url: `${server.url}/v1?api-key=${KEY}` });
  expect(problems[0]).toMatchObject({ code: 'USAGE', path: '--llm-url' });
  expect(JSON.stringify(problems)).not.toContain(KEY);
});

test('a name that a terminal would obey is shown without that', async () => {
  server.handler = listing({ id: 'evil\u001b]0;title\u0007' });
  const { problems } = await refusalOf({ model: 'saiga' });
  expect(problems[0].remedy).not.toContain('\u001b');
});

describe('a key', () => {
  test('is sent without the white space around it', async () => {
    expect((await find({ keyFile: keyFile(`\uFEFF ${KEY}\r\n\n`) })).key).toBe(KEY);
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test.each(['', ' \n\t\n'])('is missing from a file with %j', async (content) => {
    const file = keyFile(content);
    const { problems } = await refusalOf({ keyFile: file });
    expect(problems[0]).toMatchObject({ code: 'USAGE', file, path: '--llm-key-file', message: 'the file is empty' });
    expect(server.requests).toEqual([]);
  });

  test.each([`${KEY}\nsecond line`, 'ключ'])('is not in a file with %j', async (content) => {
    const { problems } = await refusalOf({ keyFile: keyFile(content) });
    expect(problems[0]).toMatchObject({ code: 'USAGE', path: '--llm-key-file' });
    expect(problems[0].message).not.toContain(content);
    expect(server.requests).toEqual([]);
  });

  test('cannot be read from a file that is missing', async () => {
    const file = join(temporaryFolder(), 'none');
    expect((await refusalOf({ keyFile: file })).problems[0]).toMatchObject({ code: 'FILE_UNREADABLE', file });
  });

  test.each<[string, Handler]>([
    ['refuses it', (_request, response) => json(response, 401, { error: { message: `bad key ${KEY}` } })],
    ['forbids it', (_request, response) => json(response, 403, {})],
    ['fails', (_request, response) => void response.writeHead(500).end(KEY)],
    ['answers with it', (_request, response) => void response.end(KEY)],
    ['breaks off', (_request, response) => void response.destroy()],
    ['lists nothing', listing()],
  ])('is in no message of a server that %s', async (_, handler) => {
    server.handler = handler;
    const error = await refusalOf({ keyFile: keyFile(KEY) });
    expect(server.requests[0]?.headers.authorization).toContain(KEY);
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      expect(`${cause.message}\n${cause.stack}`).not.toContain(KEY);
    }
  });
});

describe('an address is refused', () => {
  test.each(['', 'localhost:8000', 'model', 'ftp://host/', 'file:///etc/passwd', 'http://'])(
    'that is none: %j',
    async (url) => {
      const { problems } = await refusalOf({ url });
      expect(problems[0]).toMatchObject({
        code: 'USAGE',
        path: '--llm-url',
        message: expect.stringContaining(`'${url}'`),
      });
    },
  );

  test.each([`http://user:${KEY}@localhost:1`, `http://${KEY}@localhost:1`, `ftp://user:${KEY}@host/`])(
    'that holds a secret, without showing it: %s',
    async (url) => {
      const error = await refusalOf({ url });
      expect(error.problems[0]).toMatchObject({ code: 'USAGE', path: '--llm-url' });
      expect(error.message).toContain('--llm-key-file');
      expect(error.message).not.toContain(KEY);
    },
  );
});

describe('a server is unreachable', () => {
  test.each<[string, Handler, string]>([
    ['that wants a key', (_request, response) => json(response, 401, {}), '401: it wants a key (`--llm-key-file`)'],
    ['that forbids', (_request, response) => json(response, 403, {}), '403: it wants a key (`--llm-key-file`)'],
    ['that has no such path', (_request, response) => json(response, 404, {}), 'gave 404 and no list of models'],
    ['that is a page', (_request, response) => void response.end('<html>'), 'gave 200 and no list of models'],
    ['that answers with another document', (_, response) => json(response, 200, {}), 'gave 200 and no list of models'],
    ['whose models have no names', listing({ name: 'saiga' }), 'gave 200 and no list of models'],
    ['that lists no model', listing(), 'it lists no model'],
    ['that breaks off', (_request, response) => void response.destroy(), 'UND_ERR_SOCKET'],
  ])('%s', async (_, handler, why) => {
    server.handler = handler;
    const { problems } = await refusalOf({});
    expect(problems[0]).toMatchObject({ code: 'LLM_UNREACHABLE', path: '--llm-url' });
    expect(problems[0].message).toContain(`${server.url}: `);
    expect(problems[0].message).toContain(why);
  });

  test('that refuses the key', async () => {
    server.handler = (_request, response) => json(response, 401, {});
    expect((await refusalOf({ keyFile: keyFile(KEY) })).problems[0].message).toContain('401: it refuses the key');
  });

  test('where nobody listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    expect((await refusalOf({ url })).problems[0].message).toBe(`${url}: ECONNREFUSED`);
  });

  test('that is silent', async () => {
    server.handler = () => undefined;
    const { timeout } = AbortSignal;
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 50));
    expect((await refusalOf({})).problems[0].message).toBe(`${server.url}: no answer within 10 s`);
  });

  test('but not when the caller gives up: that is the reason', async () => {
    const reason = new Error('Ctrl-C');
    const controller = new AbortController();
    server.handler = () => controller.abort(reason);
    await expect(findModel({ url: server.url }, controller.signal)).rejects.toBe(reason);
  });
});

test('a model that the server does not list is refused with those that it lists', async () => {
  const error = await refusalOf({ model: 'gpt' });
  expect(error.problems[0]).toMatchObject({
    code: 'USAGE',
    path: '--llm-model',
    message: `${server.url} has no model 'gpt'`,
  });
  expect(error.message).toContain('It lists: saiga, qwen.');
});
