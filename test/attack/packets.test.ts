import { once } from 'node:events';
import { connect } from 'node:net';
import { request, WebSocket } from 'undici';
import { expect, test } from 'vitest';
import { question, sessionToken, startBot, Visitor } from '../apps/web-bot/harness.js';

const HANDSHAKE = '/socket.io/?EIO=4&transport=';
const ROUNDS = 300;

/** The same numbers every time, from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const PARTS = [
  ...['0', '1', '2', '3', '4', '5', '6', '40', '41', '42', '43', '44', '45', '46', '99999999999999999999', '-', ','],
  ...[
    '/',
    '/admin,',
    '/__proto__,',
    '?a=b,',
    '[',
    ']',
    '{',
    '}',
    '"send_message"',
    '"constructor"',
    '"__proto__"',
    'null',
  ],
  ...['{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":-1}', '{"_placeholder":true,"num":"constructor"}'],
  ...['{"token":{}}', '"\\ud800"', '\u0000', '\u001e', 'b', 'bAAAA', 'true', '1e999', '[[[[[[[[[[', 'probe', 'ё'],
];

/** A frame of what the protocol is made of, in an order that nobody meant. */
function frame(next: () => number): string | Uint8Array {
  if (next() < 0.15) return Uint8Array.from({ length: Math.floor(next() * 40) }, () => Math.floor(next() * 256));
  return Array.from({ length: 1 + Math.floor(next() * 6) }, () => PARTS[Math.floor(next() * PARTS.length)]).join('');
}

async function expectAnswer(url: string): Promise<void> {
  const visitor = await Visitor.connect(url);
  expect((await visitor.ask(question())).finished.ok).toBe(true);
  visitor.socket.disconnect();
}

test.each([1, 2, 3])('frames in no order end their own connection at most, seed %i', async (seed) => {
  const { url, logs, api } = await startBot();
  const next = numbers(seed);
  const token = await sessionToken(url);
  for (let round = 0; round < ROUNDS; round += 1) {
    const raw = new WebSocket(`${url.replace('http', 'ws')}${HANDSHAKE}websocket`);
    raw.addEventListener('error', () => undefined);
    await once(raw, 'open');
    if (next() < 0.7) raw.send(`40${JSON.stringify({ token })}`);
    for (let count = 0; count < 4 && raw.readyState === WebSocket.OPEN; count += 1) raw.send(frame(next));
    raw.close();
    if (round % 100 === 0) await expectAnswer(url);
  }
  await expectAnswer(url);
  expect(logs()).not.toMatch(/"level":"(error|fatal)"/);
  expect(api.asked).toHaveLength(ROUNDS / 100 + 1);
});

test.each([4, 5])('polling in no order is never a fault of ours, seed %i', async (seed) => {
  // As many sessions as there are rounds: that they are limited is another test's.
  const { url, logs } = await startBot({ socketsPerAddress: 10_000 });
  const next = numbers(seed);
  for (let round = 0; round < ROUNDS; round += 1) {
    const opened = await (await request(`${url}${HANDSHAKE}polling`)).body.text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const { statusCode, body } = await request(`${url}${HANDSHAKE}polling&sid=${next() < 0.9 ? sid : '__proto__'}`, {
      method: 'POST',
      headers: { 'content-type': next() < 0.8 ? 'text/plain' : 'application/octet-stream' },
      body: frame(next),
    });
    const text = await body.text();
    expect(statusCode).toBeLessThan(500);
    expect(text).not.toMatch(/ at |node_modules|127\.0\.0\.1/);
    if (round % 20 === 0)
      await request(`${url}${HANDSHAKE}polling&sid=${sid}`, { method: 'DELETE' }).then((it) => it.body.dump());
  }
  await expectAnswer(url);
  expect(logs()).not.toMatch(/"level":"(error|fatal)"/);
});

const RAW_FRAMES: readonly (readonly [string, number[]])[] = [
  ['text that is no UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]],
  ['a frame that is not masked', [0x81, 0x02, 0x34, 0x30]],
  ['a reserved opcode', [0x83, 0x80, 0, 0, 0, 0]],
  ['a control frame in pieces', [0x09, 0x80, 0, 0, 0, 0]],
  ['a control frame that is too long', [0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]],
  ['a continuation of nothing', [0x80, 0x80, 0, 0, 0, 0]],
  ['a length of 2^63 - 1', [0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]],
  ['compression that nobody agreed to', [0xc1, 0x80, 0, 0, 0, 0]],
  ['a close without a proper code', [0x88, 0x82, 0, 0, 0, 0, 0, 1]],
];

test.each(RAW_FRAMES)('a WebSocket that sends %s is closed, alone', async (_name, bytes) => {
  const { url } = await startBot();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const closed = once(socket, 'close');
  socket.write(
    `GET ${HANDSHAKE}websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  await once(socket, 'data');
  socket.write(Uint8Array.from(bytes));
  await closed;
  await expectAnswer(url);
});

test('an upgrade of a session to another one’s, twice, or to a transport that is none does no harm', async () => {
  const { url } = await startBot();
  const session = async () => {
    const opened = await (await request(`${url}${HANDSHAKE}polling`)).body.text();
    return (JSON.parse(opened.slice(1)) as { sid: string }).sid;
  };
  const upgrade = async (query: string, ...frames: string[]) => {
    const raw = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&${query}`);
    raw.addEventListener('error', () => undefined);
    const outcome = await Promise.race([once(raw, 'open').then(() => 'open'), once(raw, 'close').then(() => 'closed')]);
    if (outcome === 'open') for (const text of frames) raw.send(text);
    return outcome;
  };
  const sid = await session();
  expect(await upgrade(`transport=websocket&sid=${sid}`, '2probe', '5', '5', '2probe')).toBe('open');
  await upgrade(`transport=websocket&sid=${sid}`, '2probe', '5');
  await upgrade(`transport=websocket&sid=${await session()}`, '5');
  await upgrade('transport=websocket&sid=unknown');
  await upgrade('transport=polling', '2probe', '5');
  await expectAnswer(url);
});
