import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { CLIENT_ADDRESS_HEADER } from '../../../src/apps/rag-api/asker.js';
import { methodsAt, OPERATIONS } from '../../../src/apps/rag-api/operations.js';
import { events, openStream } from '../../support/openai-script.js';
import { KEY, OLDER_KEY, RunningRagApi, WEB_BOT_KEY } from '../../support/rag-api.js';
import { until } from '../../support/until.js';

let api: RunningRagApi;

afterEach(() => api.stop());

/** Answers begin, and go on for as long as their clients like. */
const endless: RunningRagApi['script'] = (_request, response) => {
  openStream(response);
  response.write(events.role() + events.text('Начало'));
};

const from = (address: string, key = WEB_BOT_KEY) => ({ key, headers: { [CLIENT_ADDRESS_HEADER]: address } });

async function code(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe('streams', () => {
  test('of one address are limited, and another address is served meanwhile', async () => {
    api = await RunningRagApi.start({ limits: { concurrentStreams: 8, streamsPerAddress: 2, streamsPerKey: 6 } });
    api.script = endless;
    const flood = await Promise.all(Array.from({ length: 20 }, () => api.ask({}, from('203.0.113.1'))));
    const refused = flood.filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(18);
    for (const response of refused) {
      expect(response.status).toBe(429);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await code(response)).toBe('ADDRESS_BUSY');
    }
    expect((await api.ask({}, from('203.0.113.2'))).status).toBe(200);
  });

  test('of one key are limited, and the other key is served meanwhile', async () => {
    api = await RunningRagApi.start({ limits: { concurrentStreams: 3, streamsPerAddress: 3, streamsPerKey: 2 } });
    api.script = endless;
    for (const [address, status] of [
      [1, 200],
      [2, 200],
      [3, 429],
    ] as const) {
      const response = await api.ask({}, from(`203.0.113.${address}`));
      expect(response.status).toBe(status);
      if (status === 429) expect(await code(response)).toBe('KEY_BUSY');
    }
    expect((await api.ask({}, { key: OLDER_KEY })).status).toBe(200);
    const last = await api.ask({}, { key: KEY });
    expect([last.status, await code(last)]).toEqual([503, 'BUSY']);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('that ended make room', async () => {
    api = await RunningRagApi.start({ limits: { streamsPerAddress: 1 } });
    for (let question = 0; question < 3; question += 1) {
      const response = await api.ask();
      expect(response.status).toBe(200);
      await response.text();
      await until('it is over', async () => (await api.metric('rag_streams_in_flight'))[0]?.endsWith(' 0') ?? false);
    }
  });
});

describe('the address of a client', () => {
  test('is believed with the web bot’s key alone', async () => {
    api = await RunningRagApi.start({ limits: { questionsPerMinute: 1 } });
    expect((await api.ask({}, from('203.0.113.1', KEY))).status).toBe(200);
    const again = await api.ask({}, from('203.0.113.2', KEY));
    expect([again.status, await code(again)]).toEqual([429, 'RATE_LIMITED']);
    const wait = Number(again.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(50);
    expect(wait).toBeLessThanOrEqual(60);
    for (const address of ['203.0.113.1', '203.0.113.2']) expect((await api.ask({}, from(address))).status).toBe(200);
    expect((await api.ask({}, from('203.0.113.2'))).status).toBe(429);
    // No address: the web bot itself, which is the peer that has asked above.
    expect((await api.ask({}, from('elsewhere'))).status).toBe(429);
  });

  test('counts refused questions, too, before their bodies are read', async () => {
    api = await RunningRagApi.start({ limits: { questionsPerMinute: 1 } });
    expect((await api.ask({ course: 'none' })).status).toBe(422);
    expect((await api.ask('x'.repeat(100_000))).status).toBe(429);
  });
});

test('a key that is missing, malformed, wrong or of a former version is refused in the same words', async () => {
  api = await RunningRagApi.start();
  const bodies = await Promise.all(
    [undefined, '', 'Bearer', 'Bearer a b', `Basic ${KEY}`, `Bearer ${KEY}x`, 'Bearer test-key-of-last-year'].map(
      async (authorization) => {
        const response = await fetch(`${api.url}/exchanges/1`, {
          headers: { 'x-request-id': 'same', ...(authorization === undefined ? {} : { authorization }) },
        });
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
        return `${response.status} ${await response.text()}`;
      },
    ),
  );
  expect(new Set(bodies).size).toBe(1);
  expect(bodies[0]).toMatch(/^401 /);
});

test('the web bot’s key opens no histories of users, and erases none', async () => {
  api = await RunningRagApi.start({ limits: { recordsPerMinute: 2 } });
  const ask = (path: string, method: string, key: string) =>
    fetch(`${api.url}${path}`, { method, headers: { authorization: `Bearer ${key}` } });
  for (const [method, path] of [
    ['GET', '/history?user_name=anna'],
    ['DELETE', '/users/anna'],
  ] as const) {
    const refused = await ask(path, method, WEB_BOT_KEY);
    expect([refused.status, await code(refused)]).toEqual([403, 'FORBIDDEN']);
  }
  // What was refused counts for nobody who may.
  expect((await ask('/history?user_name=anna', 'GET', KEY)).status).toBe(200);
  expect((await ask('/users/anna', 'DELETE', KEY)).status).toBe(200);
});

test('a method that an address does not take is told from an address that is none', async () => {
  api = await RunningRagApi.start();
  for (const [path, allowed] of [
    ['/process_message', 'POST'],
    ['/healthz', 'GET, HEAD'],
    ['/exchanges/1', 'GET, HEAD'],
  ] as const) {
    const response = await fetch(`${api.url}${path}`, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow'), await code(response)]).toEqual([
      405,
      allowed,
      'METHOD_NOT_ALLOWED',
    ]);
  }
  expect((await fetch(`${api.url}/nope`)).status).toBe(404);
  expect(methodsAt('/nope')).toEqual([]);
});

test.each([
  ['no HTTP', 'zzz\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
])('%s is a problem document without detail', async (_name, bytes, status, problem) => {
  api = await RunningRagApi.start();
  const socket = connect(api.port, '127.0.0.1');
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (data) => (text += data));
  socket.write(bytes);
  await once(socket, 'close');
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(text).toContain('application/problem+json');
  expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: problem, status });
  expect(text).not.toMatch(/HPE_|llhttp|node:| at /);
});

describe('GET /openapi.json', () => {
  test('describes every route of the app, and no other', async () => {
    api = await RunningRagApi.start();
    const { paths } = (await (await api.get('/openapi.json')).json()) as { paths: Record<string, object> };
    const routes = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    expect(
      Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)),
    ).toEqual(routes);
    for (const { method, path } of OPERATIONS) {
      const url = path.replace(/\{(\w+)\}/g, ':$1');
      const verb = ({ get: 'GET', post: 'POST', delete: 'DELETE' } as const)[method];
      expect(api.api.app.hasRoute({ method: verb, url }), url).toBe(true);
    }
    const listed = api.api.app.printRoutes({ commonPrefix: false }).match(/\((?:GET|POST|PUT|DELETE|PATCH)/g);
    expect(listed).toHaveLength(OPERATIONS.length);
  });

  test('has the courses and limits of the installation', async () => {
    api = await RunningRagApi.start({ limits: { messageCharacters: 77 } });
    const document = JSON.stringify(await (await api.get('/openapi.json')).json());
    expect(document).toContain('"maxLength":77');
    expect(document).toContain('Машинное обучение');
  });
});
