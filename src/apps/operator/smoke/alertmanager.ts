import type { ServiceChecks } from './check.js';
import { CheckFailure } from './check.js';
import { askHttp, expectStatus } from './http.js';
import type { TargetOf } from './protocol.js';

/** Alertmanager: its configuration is the one it was given. Nobody is told anything: a test must wake no one. */
export function alertmanagerChecks({ id, needs, url }: TargetOf<'alertmanager'>): ServiceChecks {
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/-/ready`, signal }, '200'), 200),
    checks: [
      {
        name: 'configuration',
        seconds: 10,
        run: async (signal) => {
          const reply = await askHttp({ url: `${url}/metrics`, signal }, '200');
          expectStatus(reply, 200);
          const [line] = /^alertmanager_config_last_reload_successful .*$/m.exec(reply.text) ?? [];
          if (line?.endsWith(' 1')) return;
          const expected = 'alertmanager_config_last_reload_successful 1';
          throw new CheckFailure({ asked: reply.asked, expected, came: line ?? 'no such metric' });
        },
      },
    ],
  };
}
