import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { Hosts } from '../../../src/apps/web-bot/hosts.js';
import { startBot, Visitor } from './harness.js';

const HANDSHAKE = '/socket.io/?EIO=4&transport=';

async function ask(url: string, path: string, headers: Record<string, string>) {
  const { statusCode, body } = await request(`${url}${path}`, { headers });
  return { status: statusCode, text: await body.text() };
}

/** Whether a WebSocket opens. By hand: clients set `Host` themselves. */
const opens = (url: string, headers: Record<string, string>) =>
  new Promise<boolean>((resolve, reject) => {
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    };
    const asked = get(`${url}${HANDSHAKE}websocket`, { headers: { ...upgrade, ...headers } });
    asked.on('upgrade', (_response, socket) => {
      resolve(true);
      socket.destroy();
    });
    asked.on('response', (response) => {
      resolve(false);
      response.resume();
    });
    asked.on('error', reject);
  });

describe('a page of elsewhere whose name leads to us', () => {
  const headers = {
    host: 'rebound.example:8080',
    origin: 'http://rebound.example:8080',
    'sec-fetch-site': 'same-origin',
  };

  test.each(['/session', '/', '/config.json', '/readyz', '/nope'])('gets nothing of %s', async (path) => {
    const { url } = await startBot({}, { hosts: ['chat.example'] });
    const refused = await ask(url, path, headers);
    expect(refused.status).toBe(421);
    expect(JSON.parse(refused.text)).toEqual({
      type: 'urn:ragdock:problem:host-refused',
      title: 'This service is not asked under this name',
      status: 421,
      code: 'HOST_REFUSED',
    });
  });

  test('opens no chat, by polling or by WebSocket', async () => {
    const { url } = await startBot({}, { hosts: ['chat.example'] });
    const polled = await ask(url, `${HANDSHAKE}polling`, headers);
    expect(polled.status).toBe(403);
    expect(JSON.parse(polled.text)).toMatchObject({ message: 'HOST_REFUSED' });
    expect(await opens(url, headers)).toBe(false);
    // Nor without an Origin, which a page leaves out of what needs no permission.
    expect(await opens(url, { host: headers.host })).toBe(false);
  });

  test('meets the same where it says no name at all', async () => {
    const { url } = await startBot({}, { hosts: [] });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.end('GET /session HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /);
  });
});

test('who asks under a name of ours chats, from a page and without one', async () => {
  const { url } = await startBot({}, { hosts: ['chat.example'] });
  for (const host of ['chat.example', 'localhost:8081', new URL(url).host]) {
    const headers = { host, origin: `http://${host}` };
    expect((await ask(url, '/session', headers)).status).toBe(200);
    expect((await ask(url, `${HANDSHAKE}polling`, headers)).status).toBe(200);
    expect(await opens(url, headers)).toBe(true);
  }
  expect((await Visitor.connect(url)).socket.connected).toBe(true);
});

describe('by its Host a request', () => {
  const hosts = new Hosts(['dev-web-bot', 'Chat.example']);

  test.each(
    ['localhost', 'LocalHost:8080', '127.0.0.1', '127.0.0.2:1', '[::1]', '[::1]:8080', 'dev-web-bot:8080'].concat([
      'chat.example',
      'CHAT.EXAMPLE:443',
    ]),
  )('for %s is ours', (host) => {
    expect(hosts.includes({ host })).toBe(true);
  });

  test.each(
    ['', ':8080', 'rebound.example', 'localhost.rebound.example', '127.0.0.1.rebound.example'].concat([
      'rebound.example:localhost',
      'localhost:80:80',
      'localhost@rebound.example',
      'chat.example.',
      '10.0.0.1',
      '[::2]',
      '0.0.0.0:8080',
    ]),
  )('for %j is not', (host) => {
    expect(hosts.includes({ host })).toBe(false);
  });

  test('is ours under any name where none are told', () => {
    expect(new Hosts(undefined).includes({ host: 'chat.example' })).toBe(true);
    expect(new Hosts(undefined).includes({})).toBe(true);
  });
});
