import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import Fastify from 'fastify';
import { Counter, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Front, isForThisMachine } from '../../src/embedded/front.js';
import { RagdockError } from '../../src/errors/problem.js';
import { until } from '../support/until.js';

let front: Front;
let upgrades: string[];

beforeEach(async () => {
  front = await Front.listen(0);
  upgrades = [];
});

afterEach(() => front.close());

async function serve(): Promise<void> {
  const [api, bot] = [Fastify(), Fastify()];
  for (const [name, app] of Object.entries({ api, bot })) {
    app.all('/*', async ({ url }) => `${name} ${url}`);
    await app.ready();
    onTestFinished(() => app.close());
  }
  bot.server.on('upgrade', ({ url }, socket) => {
    upgrades.push(url ?? '');
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
  const metrics = new Registry();
  new Counter({ name: 'rag_things_total', help: 'Things.', registers: [metrics] });
  front.serve({ api, bot, botPaths: new Set(['/', '/chat.js', '/config.json']), metrics });
}

const portOf = () => Number(new URL(front.url).port);

/** Status and text of GET on a path with any Host. */
async function get(path: string, host = 'localhost'): Promise<string> {
  const asked = request({ host: '127.0.0.1', port: portOf(), path, headers: { host } }).end();
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const part of response) text += part;
  return `${response.statusCode} ${text.trim()}`;
}

function open(): Socket {
  const socket = connect(portOf(), '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

/** All that comes back for a wish to upgrade, up to the end of the connection. */
async function upgrade(host: string): Promise<string> {
  const socket = open();
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  socket.write(
    `GET /socket.io/?transport=websocket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await once(socket, 'close');
  return text;
}

describe('the port', () => {
  test('is that of the loopback address alone', () => {
    expect(front.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('that is taken is refused with the option that names another', async () => {
    const error = await Front.listen(portOf()).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RagdockError);
    expect((error as RagdockError).problems).toEqual([
      { code: 'PORT_IN_USE', path: '--port', message: `127.0.0.1:${portOf()} is taken` },
    ]);
  });

  test('is free again after close', async () => {
    const other = await Front.listen(0);
    const port = Number(new URL(other.url).port);
    await other.close();
    await (await Front.listen(port)).close();
  });
});

test('everything is 503 before there is something to serve, and an upgrade is cut off', async () => {
  for (const path of ['/', '/metrics', '/healthz', '/process_message']) expect(await get(path)).toBe('503 starting');
  expect(await upgrade('localhost')).toBe('');
});

describe('a path', () => {
  beforeEach(serve);

  test.each([
    ['/', '200 bot /'],
    ['/chat.js?v=1', '200 bot /chat.js?v=1'],
    ['/config.json', '200 bot /config.json'],
    ['/socket.io/?EIO=4', '200 bot /socket.io/?EIO=4'],
    ['/socket.io', '200 api /socket.io'],
    ['/readyz', '200 api /readyz'],
    ['/exchanges/1?a=/chat.js', '200 api /exchanges/1?a=/chat.js'],
    ['/chat.js/x', '200 api /chat.js/x'],
  ])('%s is answered: %s', async (path, answer) => {
    expect(await get(path)).toBe(answer);
  });

  test('/metrics is answered with the metrics', async () => {
    expect(await get('/metrics?x')).toContain('# TYPE rag_things_total counter');
  });

  test('an upgrade is the bot’s', async () => {
    expect(await upgrade('localhost:8080')).toContain('101 Switching Protocols');
    expect(upgrades).toEqual(['/socket.io/?transport=websocket']);
  });
});

describe('a request', () => {
  const OURS = ['localhost', 'localhost:8080', 'LOCALHOST:1', '127.0.0.1', '127.0.0.1:8080'];
  const FOREIGN = [
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'evil.example#localhost',
    '127.0.0.1.evil.example',
    '127x0x0x1',
    '0.0.0.0',
    'localhost:8080:1',
    'localhost:',
    '::1',
    'user@localhost',
  ];

  beforeEach(serve);

  test.each(OURS)('to %s is answered', async (host) => {
    expect(await get('/', host)).toBe('200 bot /');
  });

  test.each(FOREIGN)('to %j is refused, its upgrade without a word', async (host) => {
    for (const path of ['/', '/metrics', '/readyz']) {
      expect(await get(path, host)).toBe('403 this server answers to localhost alone');
    }
    expect(await upgrade(host)).toBe('');
    expect(upgrades).toEqual([]);
  });

  test('without a Host is refused', () => {
    expect(isForThisMachine({ headers: {} })).toBe(false);
  });
});

test('an upgrade to anything but the chat is refused with a reason', async () => {
  await serve();
  const socket = open();
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*ask without an Upgrade header/);
});

test('close ends connections that are kept, and those with an answer under way', async () => {
  const other = await Front.listen(0);
  const app = Fastify();
  let asked = false;
  app.get('/slow', () => {
    asked = true;
    return new Promise(() => undefined);
  });
  await app.ready();
  other.serve({ api: app, bot: app, botPaths: new Set(), metrics: new Registry() });
  const port = Number(new URL(other.url).port);
  const sockets = ['/none', '/slow'].map((path) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    socket.on('error', () => undefined);
    return socket;
  });
  const [kept, slow] = sockets as [Socket, Socket];
  await once(kept, 'data');
  await until('the slow request is there', () => asked);
  const closed = Promise.all([once(kept, 'close'), once(slow, 'close')]);
  await other.close();
  await closed;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});
