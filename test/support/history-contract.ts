import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ExchangeOutcome, History, HistoryCursor } from '../../src/rag/ports.js';

const OUTCOME: ExchangeOutcome = {
  status: 'complete',
  answer: 'Да.',
  refused: false,
  sources: [],
  degraded: [],
  timings: {},
};

/** What every history keeps to beside begin and finish, whichever database it is in. */
export function keepsRecords(name: string, history: () => History): void {
  const begin = async (userName: string, course = 'demo', askedAt?: Date): Promise<string> => {
    const id = randomUUID();
    await history().begin({ id, requestId: 'r', userName, course, question: 'q', model: 'm', askedAt });
    return id;
  };

  const beginAndEnd = async (userName: string): Promise<string> => {
    const id = await begin(userName);
    await history().finish(id, OUTCOME);
    return id;
  };

  describe(name, () => {
    test('lists the exchanges of a user in pages, the newest first, those of one moment by id', async () => {
      const who = `o'Brien %_ ${randomUUID()}`;
      const moment = new Date('2026-11-27T08:00:00.123Z');
      const ids = [];
      for (let number = 0; number < 7; number += 1) ids.push(await begin(who, number % 2 ? 'a' : 'b', moment));
      const newest = await begin(who, 'a');
      await begin(`${who} `, 'a');
      const wanted = [newest, ...ids.sort().reverse()];
      const pages: string[][] = [];
      let before: HistoryCursor | undefined;
      do {
        const { exchanges, next } = await history().list({ userName: who, limit: 3, before });
        pages.push(exchanges.map(({ id }) => id));
        before = next;
      } while (before);
      expect(pages.map(({ length }) => length)).toEqual([3, 3, 2]);
      expect(pages.flat()).toEqual(wanted);
      const { exchanges, next } = await history().list({ userName: who, limit: 4, course: 'a' });
      expect([exchanges.map(({ course }) => course), next]).toEqual([['a', 'a', 'a', 'a'], undefined]);
    });

    test('keeps the times of what is saved late', async () => {
      const askedAt = new Date('2026-11-26T08:00:00.123Z');
      const finishedAt = new Date('2026-11-26T08:00:05.456Z');
      const id = await begin('late', 'demo', askedAt);
      await history().finish(id, { ...OUTCOME, finishedAt });
      expect(await history().find(id)).toMatchObject({ createdAt: askedAt, finishedAt });
    });

    test('keeps the last word of a user, and knows which words were followed', async () => {
      const id = await beginAndEnd('critic');
      expect(await history().rate(id, 'positive', 'a "b" \\ 😀')).toBe(true);
      const mine = async () => (await history().toFollow(1000)).find(({ exchangeId }) => exchangeId === id);
      const first = await mine();
      expect(first).toEqual({ exchangeId: id, revision: 1 });
      expect((await history().find(id))?.feedback).toEqual({
        value: 'positive',
        comment: 'a "b" \\ 😀',
        givenAt: expect.any(Date),
      });
      expect(await history().rate(id, 'negative', undefined)).toBe(true);
      if (first) await history().followed(first);
      // The older word was followed, the newer one was not.
      expect(await mine()).toEqual({ exchangeId: id, revision: 2 });
      await history().followed({ exchangeId: id, revision: 2 });
      expect(await mine()).toBeUndefined();
      expect((await history().find(id))?.feedback).toMatchObject({ value: 'negative', comment: undefined });
    });

    test('has what takes something back followed before older praise', async () => {
      const [praised, blamed] = [await beginAndEnd('critic'), await beginAndEnd('critic')];
      await history().rate(praised, 'positive', undefined);
      await history().rate(blamed, 'negative', undefined);
      const ids = (await history().toFollow(1000)).map(({ exchangeId }) => exchangeId);
      expect(ids.filter((id) => id === praised || id === blamed)).toEqual([blamed, praised]);
    });

    test('has nothing followed of an exchange that runs, until it has ended', async () => {
      const id = await begin('hasty');
      await history().rate(id, 'positive', undefined);
      const mine = async () => (await history().toFollow(1000)).filter(({ exchangeId }) => exchangeId === id);
      expect(await mine()).toEqual([]);
      await history().finish(id, OUTCOME);
      expect(await mine()).toEqual([{ exchangeId: id, revision: 1 }]);
    });

    test('keeps no word about what is not there', async () => {
      expect(await history().rate(randomUUID(), 'positive', undefined)).toBe(false);
    });

    test('forgets a user with all that was said, and nobody else', async () => {
      const [id, other] = [await begin("f'orget"), await begin("f'orget me not")];
      await history().finish(id, OUTCOME);
      await history().rate(id, 'positive', 'x');
      expect(await history().forget("f'orget")).toBe(1);
      expect(await history().forget("f'orget")).toBe(0);
      expect([await history().find(id), (await history().find(other))?.id]).toEqual([undefined, other]);
      expect((await history().toFollow(1000)).some(({ exchangeId }) => exchangeId === id)).toBe(false);
    });
  });
}
