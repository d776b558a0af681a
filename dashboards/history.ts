import { DateTimeFromNow, PercentUnit, RequestsPerSecond, Seconds, Short } from '@grafana/grafana-foundation-sdk/units';
import { type PanelBuilder, type RowProps, stat, timeSeries } from './dashboard.js';
import { AGENT_EXPORTER_METRICS as HISTORY } from './metrics.js';
import { gauge, rate, sum } from './promql.js';

/** What the agent exporter adds to the dashboard of the RAG API: courses, users and documents, over restarts. */
export function historyRows(): readonly RowProps[] {
  return [
    { title: 'Courses', panels: [users(), courseUsers(), lastExchange()] },
    { title: 'Answers by course', panels: [outcomes(), refused(), waits()] },
    { title: 'Sources', panels: [points(), passages(), withoutSources()] },
    { title: 'Cost by course', panels: [tokens(), cutOff(), sources()] },
  ];
}

function users(): PanelBuilder {
  return stat({
    title: 'Users',
    description: 'Who asked something within a day and a week, in any course. The name is what the client sends.',
    unit: Short,
    queries: [{ expr: gauge(HISTORY.users), legend: '{{period}}' }],
  });
}

function courseUsers(): PanelBuilder {
  return stat({
    title: 'Users of the last week by course',
    description: 'Somebody who asks in two courses counts in both.',
    unit: Short,
    queries: [{ expr: gauge(HISTORY.courseUsers, 'period="week"'), legend: '{{course}}' }],
  });
}

function lastExchange(): PanelBuilder {
  return stat({
    title: 'Last question',
    description: 'When the last exchange of a course ended.',
    unit: DateTimeFromNow,
    queries: [{ expr: `${gauge(HISTORY.lastExchange)} * 1000`, legend: '{{course}}' }],
  });
}

function outcomes(): PanelBuilder {
  return timeSeries({
    title: 'Exchanges by course and outcome',
    description:
      'In a second. Counted in the database: neither a restart nor the removal of old exchanges is seen here.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(HISTORY.exchanges), 'course', 'outcome'), legend: '{{course}} {{outcome}}' }],
  });
}

function refused(): PanelBuilder {
  return timeSeries({
    title: 'Refused by course',
    description: 'Share of the questions for which nothing was found. A course with many lacks documents.',
    unit: PercentUnit,
    max: 1,
    queries: [
      {
        expr: `${sum(rate(HISTORY.exchanges, 'outcome="refused"'), 'course')} / ${sum(rate(HISTORY.exchanges), 'course')}`,
        legend: '{{course}}',
      },
    ],
  });
}

function waits(): PanelBuilder {
  return timeSeries({
    title: 'Wait of the last 24 hours by course',
    description: 'Time to the first character and to the end of answers, half of them (0.5) and all but one in twenty.',
    unit: Seconds,
    queries: [{ expr: gauge(HISTORY.wait), legend: '{{course}} {{moment}} {{quantile}}' }],
  });
}

function points(): PanelBuilder {
  return timeSeries({
    title: 'Passages in the collections',
    description: 'A step down is documents that were removed; 0 is a collection into which nothing was ingested.',
    unit: Short,
    queries: [{ expr: gauge(HISTORY.points), legend: '{{collection}}' }],
  });
}

function passages(): PanelBuilder {
  return timeSeries({
    title: 'Passages given to answers',
    description: 'In a second, by collection. One that never gives any is of no use to the questions that are asked.',
    unit: Short,
    queries: [{ expr: sum(rate(HISTORY.passages), 'collection'), legend: '{{collection}}' }],
  });
}

function withoutSources(): PanelBuilder {
  return timeSeries({
    title: 'Answers without a source',
    description: 'In a second, by course: from what the model knows by itself, where `noContext` is `general`.',
    unit: RequestsPerSecond,
    queries: [{ expr: rate(HISTORY.withoutSources), legend: '{{course}}' }],
  });
}

function tokens(): PanelBuilder {
  return timeSeries({
    title: 'Tokens by course',
    description: 'In a second, as the model server counted them.',
    unit: Short,
    queries: [{ expr: sum(rate(HISTORY.tokens), 'course', 'kind'), legend: '{{course}} {{kind}}' }],
  });
}

function cutOff(): PanelBuilder {
  return timeSeries({
    title: 'Answers cut off',
    description: 'In a second, by course: they reached `sampling.maxTokens` before their end.',
    unit: RequestsPerSecond,
    queries: [{ expr: rate(HISTORY.cutOff), legend: '{{course}}' }],
  });
}

function sources(): PanelBuilder {
  return timeSeries({
    title: 'Sources of these numbers',
    description: '1 while the agent exporter can read them; while it cannot, their numbers are missing.',
    unit: Short,
    max: 1,
    queries: [{ expr: gauge(HISTORY.up), legend: '{{source}}' }],
  });
}
