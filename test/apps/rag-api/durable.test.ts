import { describe, expect, onTestFinished, test } from 'vitest';
import { AttackedApi } from '../../attack/support/attacked-api.js';
import { HAS_POSTGRES } from '../../support/postgres-server.js';

/** Answers that end at once, one after the other, while the processes are killed under the next one. */
const ANSWERS = 5;

describe.runIf(HAS_POSTGRES)('kill -9 of the API and of PostgreSQL', () => {
  test('takes no exchange whose answer had ended cleanly under an id', { timeout: 120_000 }, async () => {
    const api = await AttackedApi.start({});
    onTestFinished(() => api.stop());
    const acknowledged: string[] = [];
    const running: Promise<unknown>[] = [];
    for (let number = 0; number < ANSWERS; number += 1) {
      const response = await api.ask();
      expect(await response.text()).toBe('Векторная база');
      acknowledged.push(response.headers.get('x-exchange-id') ?? '');
      // One more is on its way when they die.
      running.push(
        api
          .ask()
          .then((next) => next.text())
          .catch(() => undefined),
      );
    }
    await Promise.all([api.kill(), api.postgres.kill()]);
    await Promise.all(running);

    await api.postgres.restart();
    const client = await api.postgres.connect();
    const { rows } = await client.query(
      `SELECT id, status, answer FROM rag.exchanges WHERE id = ANY ($1) AND status = 'complete'`,
      [acknowledged],
    );
    await client.end();
    expect(rows.map(({ id }) => id).sort()).toEqual([...acknowledged].sort());
    expect(new Set(rows.map(({ answer }) => answer))).toEqual(new Set(['Векторная база']));
  });
});
