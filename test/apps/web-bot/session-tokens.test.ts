import { io, type Socket } from 'socket.io-client';
import { request, WebSocket } from 'undici';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { SessionTokens } from '../../../src/apps/web-bot/session-tokens.js';
import { question, SESSION_KEY, sessionToken, startBot, Visitor, WAIT } from './harness.js';

describe('a token', () => {
  const tokens = (keys: readonly string[], now = () => 0) => new SessionTokens(async () => keys, 10_000, now);

  test('is good until it expires, and for both versions of the key', async () => {
    let now = 1_000_000_000;
    const { token, expiresIn } = await tokens(['one'], () => now).issue();
    expect(expiresIn).toBe(10);
    const rotated = tokens(['two', 'one'], () => now);
    expect(await rotated.accepts(token)).toBe(true);
    expect(await tokens(['three', 'two'], () => now).accepts(token)).toBe(false);
    now += 9_999;
    expect(await rotated.accepts(token)).toBe(true);
    now += 1;
    expect(await rotated.accepts(token)).toBe(false);
  });

  test('that was changed anywhere is refused', async () => {
    const keeper = tokens(['one']);
    const { token } = await keeper.issue();
    expect((await keeper.issue()).token).not.toBe(token);
    for (let at = 0; at < token.length - 1; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === '1' ? '2' : '1'}${token.slice(at + 1)}`;
      expect(await keeper.accepts(changed), changed).toBe(false);
    }
  });

  test.each([undefined, null, '', 'x', 1, {}, [], { toString: () => 'v1' }, 'v1.9999999999.a.b', 'x'.repeat(100_000)])(
    '%j is none',
    async (token) => {
      expect(await tokens(['one']).accepts(token)).toBe(false);
    },
  );
});

/** How a handshake with these credentials ends. */
async function refusal(url: string, auth: object): Promise<unknown> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, auth });
  onTestFinished(() => {
    socket.disconnect();
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => reject(new Error('it was let in')));
    socket.once('connect_error', (error) => resolve((error as Error & { data?: unknown }).data));
  });
}

describe('a handshake', () => {
  test.each([{}, { token: '' }, { token: 'wrong' }, { token: { length: 1 } }])('with %j is refused', async (auth) => {
    const { url } = await startBot();
    expect(await refusal(url, auth)).toEqual({ code: 'session_invalid' });
  });

  test('with a token that has expired, or is signed by somebody else, is refused', async () => {
    const { url } = await startBot();
    const issued = async (key: string, now: number) =>
      (
        await new SessionTokens(
          async () => [key],
          600_000,
          () => now,
        ).issue()
      ).token;
    expect(await refusal(url, { token: await issued(SESSION_KEY, Date.now() - 601_000) })).toBeDefined();
    expect(await refusal(url, { token: await issued('another key', Date.now()) })).toBeDefined();
  });

  test('has one try on each connection, however many it sends at once', async () => {
    const { url } = await startBot();
    const token = await sessionToken(url);
    const raw = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const said: string[] = [];
    raw.addEventListener('message', ({ data }) => said.push(String(data)));
    await new Promise((resolve) => raw.addEventListener('open', resolve));
    for (let time = 0; time < 5; time += 1) raw.send(`40${JSON.stringify({ token })}`);
    await new Promise((resolve) => raw.addEventListener('close', resolve));
    expect(said.filter((text) => text.startsWith('40')).length).toBeLessThanOrEqual(1);
  });

  test('of an address that has too many chats is refused, and there is room again when one ends', async () => {
    const { url } = await startBot({ socketsPerAddress: 2 });
    const [first] = [await Visitor.connect(url), await Visitor.connect(url)];
    await expect(Visitor.connect(url)).rejects.toThrow();
    first?.socket.disconnect();
    await vi.waitFor(async () => Visitor.connect(url), WAIT);
  });

  test('is counted for the reader whom a trusted proxy names, and the API is told of them', async () => {
    const { url, api } = await startBot({ socketsPerAddress: 1 }, { trustedProxies: ['127.0.0.1/32'] });
    const token = await sessionToken(url);
    const connect = async (address: string): Promise<Socket> => {
      const extraHeaders = { 'x-forwarded-for': address };
      const socket = io(url, {
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        auth: { token },
        extraHeaders,
      });
      onTestFinished(() => {
        socket.disconnect();
      });
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('connect_error', reject);
      });
      return socket;
    };
    const reader = await connect('203.0.113.1');
    await expect(connect('203.0.113.1')).rejects.toThrow();
    await connect('203.0.113.2');
    await reader.emitWithAck('send_message', question());
    await vi.waitFor(() => expect(api.asked[0]?.headers['x-ragdock-client']).toBe('203.0.113.1'), WAIT);
  });
});

describe('the page', () => {
  const CONNECTION = new URL('../../../src/apps/web-bot/static/connection.js', import.meta.url).href;

  test('comes back with a new token when its connection is lost after the first has expired', async () => {
    const { app, url } = await startBot({ sessionMs: 1000 });
    const { openSocket } = await import(CONNECTION);
    const sent: string[] = [];
    const opened = (address: string | undefined, options: { auth: (proceed: (auth: object) => void) => void }) =>
      io(address ?? '', {
        ...options,
        reconnectionDelay: 10,
        auth: (proceed: (auth: { token: string }) => void) =>
          options.auth((auth) => {
            sent.push((auth as { token: string }).token);
            proceed(auth as { token: string });
          }),
      });
    const socket: Socket = openSocket(opened, url, 50);
    onTestFinished(() => {
      socket.disconnect();
    });
    const connected = () => vi.waitFor(() => expect(socket.connected).toBe(true), WAIT);
    socket.connect();
    await connected();
    const expired = new SessionTokens(async () => [SESSION_KEY], 1000);
    await vi.waitFor(async () => expect(await expired.accepts(sent[0])).toBe(false), WAIT);
    expect(socket.connected).toBe(true);
    socket.io.engine.close();
    await vi.waitFor(() => expect(sent).toHaveLength(2), WAIT);
    await connected();
    expect(sent[1]).not.toBe(sent[0]);
    expect(app.server.listening).toBe(true);
  });
});

describe('GET /session', () => {
  test('is kept in no cache, and gives nothing to pages of other sites', async () => {
    const { url } = await startBot({}, { hosts: ['chat.example'] });
    const ask = async (headers: Record<string, string>) => {
      const { statusCode, body, headers: got } = await request(`${url}/session`, { headers });
      return { statusCode, text: await body.text(), got };
    };
    const own = await ask({ origin: url, 'sec-fetch-site': 'same-origin' });
    expect(own.statusCode).toBe(200);
    expect(own.got['cache-control']).toBe('no-store');
    expect(own.got['access-control-allow-origin']).toBeUndefined();
    expect(JSON.parse(own.text)).toMatchObject({ token: expect.stringMatching(/^v1\./), expires_in: 600 });
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
      { origin: url.replace(/:\d+$/, ':1') },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const { statusCode, text } = await ask(headers);
      expect(statusCode).toBe(403);
      expect(JSON.parse(text)).toMatchObject({ code: 'ORIGIN_REFUSED' });
    }
    expect((await ask({ host: 'chat.example', origin: 'https://CHAT.example' })).statusCode).toBe(200);
  });

  test('at other addresses and by other methods there are problem documents', async () => {
    const { url } = await startBot();
    const ask = async (path: string, method: 'GET' | 'POST') => {
      const { statusCode, body, headers } = await request(`${url}${path}`, { method });
      return [statusCode, ((await body.json()) as { code: string }).code, headers.allow];
    };
    expect(await ask('/nope', 'GET')).toEqual([404, 'NOT_FOUND', undefined]);
    expect(await ask('/session', 'POST')).toEqual([405, 'METHOD_NOT_ALLOWED', 'GET, HEAD']);
  });
});
