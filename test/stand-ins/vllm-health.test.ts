import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HEALTH } from '../../constructs/services/vllm/health.js';
import { temporaryFolder } from '../support/folder.js';
import { run } from '../support/run.js';
import { RECORDED_MODEL, StandIn } from './vllm/harness/server.js';

/** The container's health check, with its file in a folder of the test. */
function probe(server: StandIn, ...stallSeconds: readonly string[]) {
  const program = HEALTH.replace('/tmp/ragdock-progress.json', join(temporaryFolder(), 'state.json'));
  return () => run(['python3', '-c', program, server.url, ...stallSeconds]);
}

const ask = (server: StandIn, content: string, signal: AbortSignal) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: RECORDED_MODEL, messages: [{ role: 'user', content }], stream: true }),
    signal,
  });

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

test('an engine that stands still is healthy to the one check, and not to the other', async () => {
  const server = await StandIn.ready();
  const answers = probe(server);
  const progresses = probe(server, '1');
  expect((await progresses()).code).toBe(0);
  await pause(1.2);
  // Idle is no standstill.
  expect((await progresses()).code).toBe(0);

  const gone = new AbortController();
  await ask(server, '[stand-in: silence]', gone.signal);
  expect((await progresses()).code).toBe(0);
  await pause(1.2);
  const stalled = await progresses();
  expect(stalled.code).toBe(1);
  expect(stalled.stderr).toMatch(/open requests: 1, and no token came for \d+ s/);
  expect((await answers()).code).toBe(0);

  gone.abort();
  await expect.poll(async () => (await progresses()).code, { timeout: 5000 }).toBe(0);
  await server.stop();
});

test('tokens that come are progress, however long the answer takes', async () => {
  const server = await StandIn.ready([], { VLLM_STAND_IN_TOKEN_SECONDS: '0.2' });
  const progresses = probe(server, '1');
  const answer = await ask(server, 'a long story', new AbortController().signal);
  for (let checks = 0; checks < 3; checks++) {
    expect((await progresses()).code).toBe(0);
    await pause(0.8);
  }
  await answer.text();
  await server.stop();
});

test('a server that loads or died is not healthy', async () => {
  const server = await StandIn.start([], { VLLM_STAND_IN_LOAD_SECONDS: '60' });
  expect((await probe(server)()).code).toBe(1);
  await server.stop();
});
