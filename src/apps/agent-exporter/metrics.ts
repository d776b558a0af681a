import { collectDefaultMetrics, Registry } from 'prom-client';
import { AGENT_EXPORTER_METRICS as METRICS } from '../../../dashboards/metrics.js';
import {
  type ExchangeCount,
  type HistoryActivity,
  type HistoryCounts,
  OUTCOMES,
  PERIODS,
} from '../../rag/history/numbers.js';
import type { Reading } from './reading.js';
import { combined, type Sample, shownCounter, shownGauge } from './samples.js';

/** Stands for every course or collection that the settings do not name. */
export const OTHER = 'other';

/** What is read, and which labels its numbers may have. */
export interface AgentMetricsParts {
  readonly counts: Reading<HistoryCounts>;
  readonly activity: Reading<HistoryActivity>;
  /** Points of each collection. */
  readonly points: Reading<ReadonlyMap<string, number>>;
  readonly courses: readonly string[];
  readonly collections: readonly string[];
}

/**
 * The metrics of the agent exporter: at each scrape what its readings have at that time. Where a reading has nothing,
 * its metrics have no series, and `rag_exporter_up` says so.
 */
export function agentMetrics(parts: AgentMetricsParts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const course = allowed(parts.courses);
  showCounts(registry, parts, course, allowed(parts.collections));
  showActivity(registry, parts);
  shownGauge(registry, METRICS.points, () => {
    const collection = allowed(parts.collections);
    return combined(
      [...(parts.points.value ?? [])].map(([name, points]) => [{ collection: collection(name) }, points]),
    );
  });
  showReadings(registry, [parts.counts, parts.activity, parts.points]);
  return registry;
}

type Allowed = (name: string) => string;

function allowed(names: readonly string[]): Allowed {
  const known = new Set(names);
  return (name) => (known.has(name) ? name : OTHER);
}

function showCounts(
  registry: Registry,
  { counts, courses }: AgentMetricsParts,
  course: Allowed,
  collection: Allowed,
): void {
  const rows = (): readonly ExchangeCount[] => counts.value?.exchanges ?? [];
  const each = (samples: (row: ExchangeCount) => readonly Sample[]) => combined(rows().flatMap(samples));
  shownCounter(registry, METRICS.exchanges, () => {
    if (!counts.value) return [];
    // From 0 on, so that the first exchange is seen as growth.
    const none = courses.flatMap((name) => OUTCOMES.map((outcome): Sample => [{ course: name, outcome }, 0]));
    const kept = rows().map((row): Sample => [{ course: course(row.course), outcome: row.outcome }, row.exchanges]);
    return combined([...none, ...kept]);
  });
  shownCounter(registry, METRICS.withoutSources, () =>
    each((row) => [[{ course: course(row.course) }, row.without_sources]]),
  );
  shownCounter(registry, METRICS.cutOff, () => each((row) => [[{ course: course(row.course) }, row.cut_off]]));
  shownCounter(registry, METRICS.tokens, () =>
    each((row) => [
      [{ course: course(row.course), kind: 'prompt' }, row.prompt_tokens],
      [{ course: course(row.course), kind: 'completion' }, row.completion_tokens],
    ]),
  );
  shownCounter(registry, METRICS.passages, () =>
    combined(
      (counts.value?.sources ?? []).map((row): Sample => {
        return [{ course: course(row.course), collection: collection(row.collection) }, row.passages];
      }),
    ),
  );
  shownGauge(registry, METRICS.lastExchange, () =>
    combined(
      rows().map((row): Sample => [{ course: course(row.course) }, row.last_at]),
      Math.max,
    ),
  );
}

/** Of the courses that the settings name alone: who asked in two others would count twice under one label. */
function showActivity(registry: Registry, { activity, courses }: AgentMetricsParts): void {
  const known = new Set(courses);
  shownGauge(registry, METRICS.users, () => {
    if (!activity.value) return [];
    const all = activity.value.users.filter((row) => row.course === null);
    return combined([
      ...PERIODS.map((period): Sample => [{ period }, 0]),
      ...all.map(({ period, users }): Sample => [{ period }, users]),
    ]);
  });
  shownGauge(registry, METRICS.courseUsers, () => {
    if (!activity.value) return [];
    return combined([
      ...courses.flatMap((course) => PERIODS.map((period): Sample => [{ course, period }, 0])),
      ...activity.value.users.flatMap(({ period, course, users }): Sample[] =>
        course !== null && known.has(course) ? [[{ course, period }, users]] : [],
      ),
    ]);
  });
  shownGauge(registry, METRICS.wait, () =>
    (activity.value?.waits ?? [])
      .filter(({ course }) => known.has(course))
      .flatMap(({ course, moment, median, p95 }): Sample[] => [
        ...(median === null ? [] : [[{ course, moment, quantile: '0.5' }, median] as const]),
        ...(p95 === null ? [] : [[{ course, moment, quantile: '0.95' }, p95] as const]),
      ]),
  );
  shownGauge(registry, METRICS.oldestExchange, () => {
    const oldest = activity.value?.oldest;
    return oldest === undefined ? [] : [[{}, oldest]];
  });
}

function showReadings(registry: Registry, readings: readonly Reading<unknown>[]): void {
  const each = (value: (reading: Reading<unknown>) => number | undefined) =>
    readings.flatMap((reading): Sample[] => {
      const found = value(reading);
      return found === undefined ? [] : [[{ source: reading.source }, found]];
    });
  shownGauge(registry, METRICS.up, () => each(({ value }) => (value === undefined ? 0 : 1)));
  shownGauge(registry, METRICS.lastRead, () => each(({ lastRead }) => lastRead));
  shownGauge(registry, METRICS.readSeconds, () => each(({ seconds }) => seconds));
}
