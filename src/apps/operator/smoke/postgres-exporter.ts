import { CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, expectStatus } from './http.js';
import type { TargetOf } from './protocol.js';

/** The exporter answers without PostgreSQL, too: what counts is whether it can log in. */
export function postgresExporterChecks({ id, needs, url }: TargetOf<'postgres-exporter'>): ServiceChecks {
  const read = (signal: AbortSignal) => askHttp({ url: `${url}/metrics`, signal }, '200');
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await read(signal), 200),
    checks: [
      {
        name: 'logs in to PostgreSQL',
        seconds: 15,
        run: async (signal) => {
          const reply = await read(signal);
          expectStatus(reply, 200);
          const [line] = /^pg_up(\{.*\})? .*$/m.exec(reply.text) ?? [];
          if (line?.endsWith(' 1')) return;
          throw new CheckFailure({ asked: reply.asked, expected: 'pg_up 1', came: line ?? 'no such metric' });
        },
      },
    ],
  };
}
