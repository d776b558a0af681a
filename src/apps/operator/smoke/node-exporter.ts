import { CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, expectStatus } from './http.js';
import type { TargetOf } from './protocol.js';

/** What dashboards and alerts of the host stand on. */
const METRICS = [
  'node_uname_info',
  'node_cpu_seconds_total',
  'node_memory_MemTotal_bytes',
  'node_filesystem_avail_bytes',
];

export function nodeExporterChecks({ id, needs, url }: TargetOf<'node-exporter'>): ServiceChecks {
  const read = (signal: AbortSignal) => askHttp({ url: `${url}/metrics`, signal }, '200');
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await read(signal), 200),
    checks: [
      {
        name: 'metrics',
        seconds: 15,
        run: async (signal) => {
          const reply = await read(signal);
          expectStatus(reply, 200);
          const missing = METRICS.filter((metric) => !hasSample(reply.text, metric));
          if (missing.length === 0) return;
          throw new CheckFailure({
            asked: reply.asked,
            expected: METRICS.join(', '),
            came: `no ${missing.join(', no ')}`,
          });
        },
      },
    ],
  };
}

/** Whether a scrape holds a sample of a metric; its HELP line alone is none. */
export function hasSample(scrape: string, metric: string): boolean {
  return scrape.split('\n').some((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
}
