import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './environments.js';

/** What a scrape holds of one metric. */
export interface Scraped {
  readonly type: string;
  readonly labels: ReadonlySet<string>;
}

/** The metrics of a scrape in Prometheus' text format; a histogram counts under its name without ending. */
export function readScrape(text: string): ReadonlyMap<string, Scraped> {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  const metrics = new Map<string, { type: string; labels: Set<string> }>();
  for (const [, sample = '', labels = ''] of text.matchAll(/^([A-Za-z_:][\w:]*)(?:\{(.*)\})? \S+.*$/gm)) {
    const family = sample.replace(/_(bucket|sum|count)$/, '');
    const name = /^(histogram|summary)$/.test(types.get(family) ?? '') ? family : sample;
    const metric = metrics.get(name) ?? { type: types.get(name) ?? 'untyped', labels: new Set<string>() };
    for (const [, label = ''] of labels.matchAll(/([A-Za-z_]\w*)="/g)) metric.labels.add(label);
    metrics.set(name, metric);
  }
  return metrics;
}

/** A scrape of test/recordings. */
export const recording = (name: string): string => join(ROOT, 'test/recordings', name, 'metrics.prom');

/** A scrape among the samples that developers share; it is no part of the project, and may be missing. */
export const sample = (file: string): string => join(ROOT, '../shared/samples', file);

/** Undefined where the file is missing, which no check of a pull request may take for a success. */
export function scrapeAt(path: string): ReadonlyMap<string, Scraped> | undefined {
  if (!existsSync(path) && !process.env.CI) return undefined;
  return readScrape(readFileSync(path, 'utf8'));
}
