import type { ServiceChecks } from './check.js';
import type { TargetOf } from './protocol.js';
import { scrapeChecks, type WantedMetric } from './scrape.js';

/** What is asked of each exporter: the name of the check, and what dashboards and alerts stand on. */
const EXPORTERS: Readonly<Record<TargetOf<'exporter'>['exporter'], readonly [string, readonly WantedMetric[]]>> = {
  node: [
    'metrics',
    ['node_uname_info', 'node_cpu_seconds_total', 'node_memory_MemTotal_bytes', 'node_filesystem_avail_bytes'],
  ],
  // It answers without PostgreSQL, too: what counts is whether it can log in.
  postgres: ['logs in to PostgreSQL', [['pg_up', 1]]],
  // It answers without a card, too, and then has nothing to tell.
  dcgm: ['metrics', ['DCGM_FI_DEV_GPU_UTIL', 'DCGM_FI_DEV_FB_USED', 'DCGM_FI_DEV_GPU_TEMP', 'DCGM_FI_DEV_POWER_USAGE']],
};

export function exporterChecks(target: TargetOf<'exporter'>): ServiceChecks {
  const [name, wanted] = EXPORTERS[target.exporter];
  return scrapeChecks(target, name, wanted);
}
