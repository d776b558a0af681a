import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { AGENT_EXPORTER_METRICS } from '../../../dashboards/metrics.js';
import { agentMetrics } from '../../../src/apps/agent-exporter/metrics.js';
import { NumbersDatabase } from '../../../src/apps/agent-exporter/postgres.js';
import { readPoints } from '../../../src/apps/agent-exporter/qdrant.js';
import { Reading } from '../../../src/apps/agent-exporter/reading.js';
import { type HistoryActivity, type HistoryCounts, readCounts } from '../../../src/rag/history/numbers.js';
import { closedPort, json, ScriptedServer } from '../../support/http-server.js';
import { readScrape } from '../../support/scrapes.js';
import { until } from '../../support/until.js';

const RECORDED = readFileSync(new URL('../../recordings/qdrant/metrics_after.prom', import.meta.url), 'utf8');
const ended = (course: string, exchanges: number, last_at: number) =>
  ({
    course,
    outcome: 'answered',
    exchanges,
    last_at,
    without_sources: 1,
    cut_off: 2,
    prompt_tokens: 3,
    completion_tokens: 4,
  }) as const;

const COUNTS: HistoryCounts = {
  exchanges: [ended('demo', 5, 100), ended('old', 2, 50), ended('older', 1, 70)],
  sources: [
    { course: 'demo', collection: 'courses', passages: 7 },
    { course: 'demo', collection: 'gone', passages: 1 },
  ],
};
const ACTIVITY: HistoryActivity = {
  users: [
    { period: 'week', course: null, users: 3 },
    { period: 'week', course: 'demo', users: 2 },
    { period: 'week', course: 'old', users: 2 },
  ],
  waits: [{ course: 'demo', moment: 'total', median: 1.5, p95: null }],
  oldest: 42,
};

const running: Reading<unknown>[] = [];
afterEach(async () => {
  for (const reading of running.splice(0)) await reading.stop();
});

async function reading<T>(source: string, read: () => Promise<T>, intervalMs = 60_000): Promise<Reading<T>> {
  const made = new Reading({ source, intervalMs, read });
  running.push(made);
  await made.start();
  return made;
}

interface Sources {
  readonly counts: () => Promise<HistoryCounts>;
  readonly points: () => Promise<ReadonlyMap<string, number>>;
}

async function scrape({ counts, points }: Sources): Promise<string> {
  const registry = agentMetrics({
    counts: await reading('counts', counts),
    activity: await reading('activity', async () => ACTIVITY),
    points: await reading('qdrant', points),
    courses: ['demo', 'new'],
    collections: ['courses'],
  });
  await registry.metrics();
  // A second scrape shows the same, not twice as much.
  return registry.metrics();
}

const well: Sources = {
  counts: async () => COUNTS,
  points: async () =>
    new Map([
      ['courses', 10],
      ['foreign', 4],
    ]),
};

describe('the metrics', () => {
  test('are those of the catalogue, with their types and labels', async () => {
    const scraped = readScrape(await scrape(well));
    for (const { name, type, labels } of Object.values(AGENT_EXPORTER_METRICS)) {
      expect(scraped.get(name)?.type, name).toBe(type);
      expect([...(scraped.get(name)?.labels ?? [])].sort(), name).toEqual([...labels].sort());
    }
  });

  test('name courses and collections of the settings, and put the others together', async () => {
    const text = await scrape(well);
    expect(text).toContain('rag_history_exchanges_total{course="demo",outcome="answered"} 5\n');
    expect(text).toContain('rag_history_exchanges_total{course="new",outcome="refused"} 0\n');
    expect(text).toContain('rag_history_exchanges_total{course="other",outcome="answered"} 3\n');
    expect(text).toContain('rag_history_last_exchange_timestamp_seconds{course="other"} 70\n');
    expect(text).toContain('rag_history_passages_total{course="demo",collection="other"} 1\n');
    expect(text).toContain('rag_history_tokens_total{course="other",kind="completion"} 8\n');
    expect(text).toContain('rag_knowledge_points{collection="courses"} 10\n');
    expect(text).toContain('rag_knowledge_points{collection="other"} 4\n');
    expect(text).toContain('rag_history_users{period="day"} 0\n');
    expect(text).toContain('rag_history_course_users{course="demo",period="week"} 2\n');
    expect(text).toContain('rag_history_wait_seconds{course="demo",moment="total",quantile="0.5"} 1.5\n');
    expect(text).toContain('rag_history_oldest_exchange_timestamp_seconds 42\n');
    expect(text).not.toMatch(/course="old|course_users\{course="other"/);
  });

  test('of a source that is down are missing, and it is said that it is', async () => {
    const port = await closedPort();
    const database = new NumbersDatabase({
      url: `postgresql://agent_exporter@127.0.0.1:${port}/ml_db`,
      logins: async () => [{ user: 'agent_exporter', password: 'x' }],
    });
    const down = await scrape({
      counts: () => database.read(readCounts),
      points: () => readPoints(`http://127.0.0.1:${port}`),
    });
    expect(down).not.toMatch(/^rag_history_exchanges_total|^rag_knowledge_points/m);
    expect(down).toContain('rag_exporter_up{source="counts"} 0\n');
    expect(down).toContain('rag_exporter_up{source="qdrant"} 0\n');
    expect(down).toContain('rag_exporter_up{source="activity"} 1\n');
    expect(down).toContain('rag_history_users{period="week"} 3\n');
    expect(down).not.toContain('last_read_timestamp_seconds{source="counts"}');
  });
});

describe('a reading', () => {
  test('that fails loses what it had, and tells it once until it works again', async () => {
    const news: string[] = [];
    let fails = false;
    let attempts = 0;
    const it = new Reading({
      source: 's',
      intervalMs: 1,
      read: async () => {
        attempts += 1;
        if (fails) throw new Error('down');
        return attempts;
      },
      onFailure: () => news.push('failed'),
      onRecovery: () => news.push('recovered'),
    });
    running.push(it);
    await it.start();
    expect(it.value).toBe(1);
    fails = true;
    await until('it fails', () => it.value === undefined);
    const since = attempts;
    await until('it fails again', () => attempts > since + 1);
    fails = false;
    await until('it works again', () => it.value !== undefined);
    expect(news).toEqual(['failed', 'recovered']);
    await it.stop();
    const atEnd = attempts;
    await it.stop();
    expect(attempts).toBe(atEnd);
  });
});

describe('points of Qdrant', () => {
  const answering = async (status: number, text: string): Promise<ReadonlyMap<string, number>> => {
    const server = await ScriptedServer.start((_, response) =>
      status === 200 ? void response.writeHead(200).end(text) : json(response, status, {}),
    );
    try {
      return await readPoints(server.url);
    } finally {
      await server.close();
    }
  };

  test('are in its metrics as they were recorded', async () => {
    expect(await answering(200, RECORDED)).toEqual(new Map([['courses', 3011]]));
  });

  test.each([
    [401, '', /answered 401/],
    [200, '<html>', /no metrics of Qdrant/],
  ])('are not taken from an answer %i %j', async (status, text, message) => {
    await expect(answering(status, text)).rejects.toThrow(message);
  });
});
