import { Counter, Gauge, type Registry } from 'prom-client';
import type { Metric } from '../../../dashboards/metrics.js';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [Labels, number];

const add = (a: number, b: number): number => a + b;

/** Samples of which no two have the same labels: those that have are combined, by default added up. */
export function combined(samples: Iterable<Sample>, combine: (a: number, b: number) => number = add): Sample[] {
  const byLabels = new Map<string, Sample>();
  for (const [labels, value] of samples) {
    const key = JSON.stringify(labels);
    const [, known] = byLabels.get(key) ?? [];
    byLabels.set(key, [labels, known === undefined ? value : combine(known, value)]);
  }
  return [...byLabels.values()];
}

/** A counter that is kept elsewhere and only shown here: its samples are asked for at each scrape. */
export function shownCounter(
  registry: Registry,
  { name, help, labels }: Metric,
  samples: () => Iterable<Sample>,
): void {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const [of, value] of samples()) this.inc(of, value);
    },
  });
}

/** A gauge whose samples are asked for at each scrape. */
export function shownGauge(registry: Registry, { name, help, labels }: Metric, samples: () => Iterable<Sample>): void {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      // Without labels the one series would say 0 where nobody has measured anything.
      if (labels.length === 0) this.remove();
      for (const [of, value] of samples()) this.set(of, value);
    },
  });
}
