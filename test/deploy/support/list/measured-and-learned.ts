import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, QUESTION } from '../deployment.js';
import { until } from '../poll.js';

/** A judged set of which words alone say what belongs together. */
const PASSAGES = {
  comet: 'Комета Галлея возвращается к Солнцу каждые семьдесят шесть лет.',
  glacier: 'Ледник Беринга сползает к океану и теряет айсберги.',
  violin: 'Скрипка Страдивари звучит мягко благодаря лаку и ели.',
  bread: 'Ржаной хлеб поднимается на закваске около суток.',
};
const QUESTIONS = {
  comet: 'Как часто возвращается комета Галлея?',
  glacier: 'Куда сползает ледник Беринга?',
  violin: 'Почему скрипка Страдивари звучит мягко?',
  bread: 'На чём поднимается ржаной хлеб?',
};

interface Source {
  readonly collection: string;
  readonly text: string;
}

/**
 * What is measured of a stack that runs, and what it learns from its users.
 *
 * @param learned collection that exchanges go to
 * @param urls where the API and Qdrant are published
 */
export function measuredAndLearned(
  { name, project, engine, description }: Deployment,
  learned: string,
  urls: { readonly api: string; readonly qdrant: string },
): void {
  const secret = (of: string): string => readFileSync(join(project.secretsFolder, `${of}.v1`), 'utf8').trim();

  async function callApi(path: string, method = 'GET', body?: object): Promise<Response> {
    const answer = await fetch(`${urls.api}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${secret('rag-api-key')}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async function points(): Promise<Record<string, number>> {
    const ask = async (path: string): Promise<unknown> => {
      const answer = await fetch(`${urls.qdrant}${path}`, { headers: { 'api-key': secret('qdrant-api-key') } });
      return ((await answer.json()) as { result: unknown }).result;
    };
    const { collections } = (await ask('/collections')) as { collections: { name: string }[] };
    const counts = collections.map(async ({ name: collection }) => {
      const { points_count: count } = (await ask(`/collections/${collection}`)) as { points_count: number };
      return [collection, count] as const;
    });
    return Object.fromEntries(await Promise.all(counts));
  }

  /** Ask, read the answer to its end, and give back the exchange as it is saved. */
  async function exchange(userName: string): Promise<{ readonly id: string; readonly sources: readonly Source[] }> {
    const question = { message: QUESTION, user_name: userName, course: description.course };
    const answer = await callApi('/process_message', 'POST', question);
    await answer.text();
    const id = answer.headers.get('x-exchange-id') ?? '';
    return { id, ...((await (await callApi(`/exchanges/${id}`)).json()) as { sources: readonly Source[] }) };
  }

  const fromLearned = async (): Promise<readonly Source[]> =>
    (await exchange('somebody-else')).sources.filter(({ collection }) => collection === learned);

  describe(`${name}, which is in use`, () => {
    test('its search is measured with a judged set, and its own collections are as before', async () => {
      const folder = join(project.folder, 'judged');
      mkdirSync(folder);
      const lines = (texts: object) => Object.entries(texts).map(([_id, text]) => JSON.stringify({ _id, text }));
      writeFileSync(join(folder, 'corpus.jsonl'), lines(PASSAGES).join('\n'));
      writeFileSync(join(folder, 'queries.jsonl'), lines(QUESTIONS).join('\n'));
      writeFileSync(
        join(folder, 'qrels.tsv'),
        Object.keys(QUESTIONS)
          .map((id) => `${id}\t${id}\t1`)
          .join('\n'),
      );
      const before = await points();

      const { stdout } = await project.ragdock('eval', folder, '--env', name, '--json');

      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ queries: 4, passages: 4, metrics: { 'recall@3': { high: 1 } } });
      expect(report.metrics.mrr.value).toBeGreaterThan(0.5);
      expect(await points()).toEqual(before);
    });

    describe('learns from what its users praise', () => {
      beforeAll(async () => {
        project.setSetting(['services', 'api', 'history'], { fromFeedback: learned });
        await project.deploy();
        await engine.allHealthy();
      });

      test('an answer that was praised is a source for others, until the praise is taken back', async () => {
        const { id, sources } = await exchange('a-student');
        expect(sources.map(({ collection }) => collection)).not.toContain(learned);
        expect(await fromLearned()).toEqual([]);

        await callApi(`/exchanges/${id}/feedback`, 'POST', { value: 'positive' });
        const [found] = await until('the exchange is learned', async () => {
          const all = await fromLearned();
          return all.length > 0 && all;
        });
        expect(found?.text).toContain(QUESTION);

        await callApi(`/exchanges/${id}/feedback`, 'POST', { value: 'negative' });
        await until('it is unlearned', async () => (await fromLearned()).length === 0);
      });

      test('what was learned of a user goes with the user', async () => {
        const { id } = await exchange('a-student');
        await callApi(`/exchanges/${id}/feedback`, 'POST', { value: 'positive' });
        await until('the exchange is learned', async () => (await fromLearned()).length > 0);

        await callApi('/users/a-student', 'DELETE');

        expect(await fromLearned()).toEqual([]);
        expect((await points())[learned]).toBe(0);
        const history = (await (await callApi('/history?user_name=a-student')).json()) as { exchanges: unknown[] };
        expect(history.exchanges).toEqual([]);
      });
    });
  });
}
