import type { Metric } from './metrics.js';

type Named<Type extends Metric['type']> = { readonly name: string; readonly type: Type };

/** A metric that only grows, of which a query wants the growth alone. */
export type Counter = Named<'counter'>;
export type Gauge = Named<'gauge'>;
export type Histogram = Named<'histogram'>;

/** As long as Grafana finds right for the time that a panel shows and the interval of the scrapes. */
export const RATE_INTERVAL = '$__rate_interval';

/** The series of a metric. `selector` is what stands between the braces. */
export const gauge = ({ name }: Gauge, selector = ''): string => series(name, selector);

/** Growth of a counter in one second. */
export const rate = ({ name }: Counter, selector = '', window = RATE_INTERVAL): string =>
  `rate(${series(name, selector)}[${window}])`;

/** Growth of a counter in the whole of the window. */
export const increase = ({ name }: Counter, selector = '', window = RATE_INTERVAL): string =>
  `increase(${series(name, selector)}[${window}])`;

/** A quantile of a histogram, over all of its series or for each value of `by`. */
export const quantile = (
  share: number,
  { name }: Histogram,
  selector = '',
  by: readonly string[] = [],
  window = RATE_INTERVAL,
): string =>
  `histogram_quantile(${share}, sum by (${['le', ...by].join(', ')}) (rate(${series(`${name}_bucket`, selector)}[${window}])))`;

/** Observations of a histogram in one second. */
export const observations = ({ name }: Histogram, selector = '', window = RATE_INTERVAL): string =>
  `rate(${series(`${name}_count`, selector)}[${window}])`;

/** What a histogram's observations add up to in one second. */
export const observed = ({ name }: Histogram, selector = '', window = RATE_INTERVAL): string =>
  `rate(${series(`${name}_sum`, selector)}[${window}])`;

export const sum = (expression: string, ...by: readonly string[]): string => aggregate('sum', expression, by);
export const max = (expression: string, ...by: readonly string[]): string => aggregate('max', expression, by);

/** The first expression where it has series, the second for what it lacks. */
export const orElse = (first: string, second: string): string => `${first} or ${second}`;

function aggregate(operator: string, expression: string, by: readonly string[]): string {
  return by.length === 0 ? `${operator}(${expression})` : `${operator} by (${by.join(', ')}) (${expression})`;
}

function series(name: string, selector: string): string {
  return selector === '' ? name : `${name}{${selector}}`;
}
