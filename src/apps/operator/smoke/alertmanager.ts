import type { ServiceChecks } from './check.js';
import { askHttp, expectStatus } from './http.js';
import type { TargetOf } from './protocol.js';
import { scrapeCheck } from './scrape.js';

/** Alertmanager: its configuration is the one it was given. Nobody is told anything: a test must wake no one. */
export function alertmanagerChecks({ id, needs, url }: TargetOf<'alertmanager'>): ServiceChecks {
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/-/ready`, signal }, '200'), 200),
    checks: [scrapeCheck(url, 'configuration', 10, [['alertmanager_config_last_reload_successful', 1]])],
  };
}
