import { describe, expect, test } from 'vitest';
import { DATA_SOURCE, dashboards } from '../../dashboards/index.js';
import type { Metric } from '../../dashboards/metrics.js';
import * as catalogue from '../../dashboards/metrics.js';
import { parseQuery } from '../support/promql.js';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: unknown;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly options: { readonly legend?: { readonly showLegend: boolean } };
  readonly targets: readonly Target[];
}

const METRICS = new Map<string, Pick<Metric, 'name' | 'type' | 'labels'>>(
  Object.values(catalogue)
    .flatMap((part) => Object.values(part))
    .map((metric) => [metric.name, metric]),
);

/** Labels that Prometheus adds, and the bound of a bucket. */
const ADDED = ['job', 'instance', 'le'];

/** The metric behind the name of a series, and whether the series only grows. */
function metricOf(series: string): { metric: Pick<Metric, 'name' | 'type' | 'labels'> | undefined; grows: boolean } {
  const known = METRICS.get(series);
  if (known) return { metric: known, grows: known.type === 'counter' };
  const histogram = METRICS.get(series.replace(/_(bucket|sum|count)$/, ''));
  return { metric: histogram?.type === 'histogram' ? histogram : undefined, grows: true };
}

const everything = dashboards({ gpus: true, history: true }).map(({ uid, title, json }) => ({
  uid,
  title,
  json,
  it: JSON.parse(json),
}));

test('are the same bytes every time, under names of their own', () => {
  expect(dashboards({ gpus: true })).toEqual(dashboards({ gpus: true }));
  expect(new Set(everything.map(({ uid }) => uid)).size).toBe(everything.length);
  expect(new Set(everything.map(({ title }) => title)).size).toBe(everything.length);
});

test('show GPUs where there are some, and only there', () => {
  const text = (gpus: boolean) =>
    dashboards({ gpus })
      .map(({ json }) => json)
      .join('');
  expect(text(true)).toContain('DCGM_FI_DEV_GPU_UTIL');
  expect(text(false)).not.toContain('DCGM_');
  expect(text(false)).not.toContain('GPU');
});

test('show the history where it is measured, and only there', () => {
  const text = (history: boolean) =>
    dashboards({ history })
      .map(({ json }) => json)
      .join('');
  expect(text(true)).toContain('rag_history_users');
  expect(text(false)).not.toMatch(/rag_(history|knowledge|exporter)_/);
});

test('the model servers are found by what they measure, whatever their jobs are called', () => {
  const [variable] = everything.find(({ uid }) => uid === 'ragdock-llm')?.it.templating.list ?? [];
  const query = typeof variable.query === 'string' ? variable.query : variable.query.query;
  expect(query).toBe('label_values({__name__=~"vllm:num_requests_running|llamacpp:requests_processing"}, job)');
  expect(variable.allValue).toBe('.+');
  expect(everything.map(({ json }) => json).join('')).not.toContain('llm-');
});

test('the order and the names are those that people know', () => {
  expect(everything.map(({ uid, title }) => [uid, title])).toEqual([
    ['ragdock-system-overview', 'System overview'],
    ['ragdock-rag-api', 'RAG API'],
    ['ragdock-llm', 'Language models'],
    ['ragdock-qdrant', 'Qdrant'],
  ]);
});

describe.each(everything)('$title', ({ uid, title, json, it }) => {
  const all: readonly Panel[] = it.panels;
  const panels = all.filter(({ type }) => type !== 'row');
  const queries = panels.flatMap((panel) => panel.targets.map((target) => ({ panel, ...target })));

  test('cannot be edited in Grafana, and ends with a newline', () => {
    expect(it).toMatchObject({ uid, title, editable: false, refresh: '30s' });
    expect(json).toMatch(/[^\n]\n$/);
    expect(it.id).toBeUndefined();
  });

  test('every panel has a number of its own, a heading, an explanation, a unit and a legend', () => {
    expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1));
    for (const panel of panels) {
      expect(panel.title, `${panel.id}`).not.toBe('');
      expect(panel.description?.length, panel.title).toBeGreaterThan(10);
      expect(panel.fieldConfig.defaults.unit, panel.title).toBeTruthy();
      if (panel.type === 'timeseries') expect(panel.options.legend?.showLegend, panel.title).toBe(true);
    }
    expect(new Set(panels.map((panel) => panel.title)).size).toBe(panels.length);
  });

  test('no two panels overlap, and none is wider than the page', () => {
    all.forEach((a, index) => {
      expect(a.gridPos.x + a.gridPos.w, a.title).toBeLessThanOrEqual(24);
      for (const b of all.slice(index + 1)) {
        const apart =
          a.gridPos.x + a.gridPos.w <= b.gridPos.x ||
          b.gridPos.x + b.gridPos.w <= a.gridPos.x ||
          a.gridPos.y + a.gridPos.h <= b.gridPos.y ||
          b.gridPos.y + b.gridPos.h <= a.gridPos.y;
        expect(apart, `${a.title} and ${b.title}`).toBe(true);
      }
    });
  });

  test('every panel asks the data source of the stack, each query under its own letter', () => {
    for (const panel of panels) {
      expect(panel.datasource).toEqual(DATA_SOURCE);
      expect(panel.targets.length, panel.title).toBeGreaterThan(0);
      expect(panel.targets.map(({ refId }) => refId)).toEqual([...'ABCDEFGH'].slice(0, panel.targets.length));
      for (const target of panel.targets) expect(target.datasource).toEqual(DATA_SOURCE);
    }
    for (const variable of it.templating.list ?? []) expect(variable.datasource).toEqual(DATA_SOURCE);
  });

  test.each(queries.map(({ panel, refId, expr, legendFormat }) => [panel.title, refId, expr, legendFormat] as const))(
    '%s %s: parses, and asks for what there is',
    (_title, _refId, expr, legend) => {
      const { errors, uses, groupings } = parseQuery(expr);
      expect(errors, expr).toEqual([]);
      expect(uses.length).toBeGreaterThan(0);
      const labels = new Set(ADDED);
      for (const { metric: series, labels: selected, inRate } of uses) {
        const { metric, grows } = metricOf(series);
        expect(metric, `${series} is not in the catalogue`).toBeDefined();
        expect(inRate, `${series} grows: ask for its growth`).toBe(grows);
        const known = [...(metric?.labels ?? []), ...ADDED];
        for (const label of selected) expect(known, `${series}{${label}}`).toContain(label);
        for (const label of known) labels.add(label);
      }
      for (const label of groupings) expect(labels, expr).toContain(label);
      for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) expect(labels, legend).toContain(label);
      const withoutTexts = expr.replace(/"[^"]*"/g, '');
      for (const [, window] of withoutTexts.matchAll(/\[([^\]]*)\]/g)) expect(window).toBe('$__rate_interval');
    },
  );

  test('uses no variable that it does not have', () => {
    const known = ((it.templating.list ?? []) as { name: string }[]).map(({ name }) => name);
    const used = queries.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name));
    expect(used.filter((name) => name !== '__rate_interval' && !known.includes(name ?? ''))).toEqual([]);
  });
});

test.each([
  ['sum(rate(a_total[$__rate_interval])', 1],
  ['a{b="$c"}', 0],
])('%s has %d faults', (query, faults) => {
  expect(parseQuery(query).errors).toHaveLength(faults);
});

test('a query is taken apart', () => {
  expect(parseQuery('sum by (c) (rate(a_total{b="x"}[5m])) / d')).toEqual({
    errors: [],
    uses: [
      { metric: 'a_total', labels: ['b'], inRate: true },
      { metric: 'd', labels: [], inRate: false },
    ],
    groupings: ['c'],
  });
});
