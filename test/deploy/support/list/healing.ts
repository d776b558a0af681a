import { afterAll, describe, expect, test } from 'vitest';
import type { Deployment } from '../deployment.js';
import { until } from '../poll.js';

/** Every service is started again after its process was killed, and loses nothing. The engine has to be of this machine. */
export function healing(
  { name, description, engine, ask, tryToAsk, sql }: Deployment,
  services: readonly string[] = description.services,
): void {
  describe(`${name} heals`, () => {
    /** Ids of exchanges whose answers reached the end: none of them may be lost. */
    const acknowledged = new Set<string>();

    test.each(services)('after the main process of %s was killed', async (service) => {
      // GIVEN a stack under questions
      const before = await engine.containerOf(service).inspect();
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
        const { State, RestartCount } = await engine.containerOf(service).inspect();
        return State.Running && RestartCount > before.RestartCount;
      });
      await engine.allHealthy();
      asking = false;
      await questions;
      const answer = await until('a question is answered', () => tryToAsk(), 60);
      acknowledged.add(answer.exchangeId);
    });

    test('and no acknowledged exchange was lost', async () => {
      acknowledged.add((await ask()).exchangeId);
      expect(acknowledged.size).toBeGreaterThan(services.length);

      const ids = [...acknowledged].map((id) => `'${id}'`).join(',');
      const kept = await sql(`SELECT count(*) FROM rag.exchanges WHERE id IN (${ids}) AND status = 'complete'`);
      expect(Number(kept)).toBe(acknowledged.size);
    });

    afterAll(async () => {
      await engine.allHealthy();
    });
  });
}
