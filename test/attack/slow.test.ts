import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { question, startBot, Visitor } from '../apps/web-bot/harness.js';
import { KEY } from '../support/rag-api.js';
import { until } from '../support/until.js';
import { AttackedApi } from './support/attacked-api.js';
import { beginnings, SlowConnection } from './support/slow.js';

const PER_ADDRESS = 40;
const DEADLINE_MS = 15_000;

/** Opens more slow connections than one address may have; they are gone after the test. */
function attack(port: number, path: string): Map<string, SlowConnection[]> {
  const slow = new Map<string, SlowConnection[]>();
  for (const [missing, start] of Object.entries(beginnings(path, KEY))) {
    slow.set(
      missing,
      Array.from({ length: 20 }, () => new SlowConnection(port, start)),
    );
  }
  onTestFinished(() => {
    for (const connection of [...slow.values()].flat()) connection.end();
  });
  return slow;
}

/** Asserts that no more than were allowed stayed, others were served, and those that stayed were told off and closed. */
async function withstands(slow: Map<string, SlowConnection[]>, serve: () => Promise<void>): Promise<void> {
  const all = [...slow.values()].flat();
  await until('the excess is closed', () => all.filter(({ isClosed }) => !isClosed).length <= PER_ADDRESS);
  expect(all.some(({ isClosed }) => !isClosed)).toBe(true);
  await serve();
  await until('all slow connections are closed', () => all.every(({ isClosed }) => isClosed), DEADLINE_MS);
  const told = all.filter(({ received }) => received.startsWith('HTTP/1.1 408 '));
  expect(told.length).toBeGreaterThan(0);
  for (const { received } of told) expect(received).toContain('"code":"REQUEST_TIMEOUT"');
  await serve();
}

describe('the RAG API, to which one address sends slowly', () => {
  let api: AttackedApi;

  beforeAll(async () => {
    api = await AttackedApi.start({ requestSeconds: 3, connectionsPerAddress: PER_ADDRESS, connections: 60 });
  });
  afterAll(() => api?.stop());

  test('serves the others meanwhile, and ends it', async () => {
    await withstands(attack(api.port, '/process_message'), async () => {
      const response = await api.ask();
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('Векторная база');
    });
    expect(api.isAlive).toBe(true);
    expect(api.errors).toBe('');
  });
});

describe('the web bot, to which one address sends slowly', () => {
  const limits = { requestMs: 3000, joinMs: 3000, connectionsPerAddress: PER_ADDRESS, connections: 60 };

  test('serves the others meanwhile, and ends it', async () => {
    const { app, url } = await startBot(limits);
    const { port } = app.server.address() as AddressInfo;
    await withstands(attack(port, '/socket.io/?EIO=4&transport=polling'), async () => {
      const visitor = await Visitor.connect(url);
      expect((await visitor.ask(question())).finished.ok).toBe(true);
      visitor.socket.disconnect();
    });
  });

  test.each([
    ['/socket.io/?EIO=4&transport=websocket', 'never joins', ''],
    ['/socket.io/?EIO=4&transport=websocket', 'sends half a frame', '\x81\xfe\x40\x00'],
    ['/elsewhere', 'was never meant for a chat', ''],
  ])('ends a WebSocket at %s that %s', async (path, _name, frame) => {
    const { app, url } = await startBot(limits);
    const { port } = app.server.address() as AddressInfo;
    const upgrade = `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
    const slow = new SlowConnection(port, Buffer.from(upgrade + frame, 'latin1'));
    onTestFinished(() => slow.end());
    const visitor = await Visitor.connect(url);
    expect((await visitor.ask(question())).finished.ok).toBe(true);
    await until('it is closed', () => slow.isClosed, DEADLINE_MS);
  });
});
