import { afterAll, expect, test } from 'vitest';
import { allHealthy, containerOf, SERVICES, until } from './support/engine.js';
import { ask, sql, tryToAsk } from './support/stack.js';

/** Ids of exchanges whose answers reached the end: none of them may be lost. */
const acknowledged = new Set<string>();

test.each(SERVICES)('%s heals after its main process was killed', async (service) => {
  // GIVEN a stack under questions
  const before = await containerOf(service).inspect();
  let asking = true;
  const questions = (async () => {
    while (asking) {
      const answer = await tryToAsk();
      if (answer) acknowledged.add(answer.exchangeId);
    }
  })();

  // WHEN the process is killed from the host: `docker kill` would count as the operator's wish
  process.kill(before.State.Pid, 'SIGKILL');

  // THEN the engine starts it again, and the stack answers as before
  await until(`${service} was started again`, async () => {
    const { State, RestartCount } = await containerOf(service).inspect();
    return State.Running && RestartCount > before.RestartCount;
  });
  await allHealthy();
  asking = false;
  await questions;
  const answer = await until('a question is answered', () => tryToAsk(), 60);
  acknowledged.add(answer.exchangeId);
});

test('no acknowledged exchange was lost', async () => {
  acknowledged.add((await ask()).exchangeId);
  expect(acknowledged.size).toBeGreaterThan(SERVICES.length);

  const ids = [...acknowledged].map((id) => `'${id}'`).join(',');
  const kept = await sql(`SELECT count(*) FROM rag.exchanges WHERE id IN (${ids}) AND status = 'complete'`);
  expect(Number(kept)).toBe(acknowledged.size);
});

afterAll(async () => {
  await allHealthy();
});
