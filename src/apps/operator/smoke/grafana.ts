import { setTimeout as delay } from 'node:timers/promises';
import { newest } from '../../secret-file.js';
import { CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, excerptOf, expectStatus, type HttpReply, jsonOf } from './http.js';
import type { TargetOf } from './protocol.js';

const PAUSE_MS = 500;

/** Who logs in; Grafana makes it with its database. */
const USER = 'admin';

/** Grafana: closed to whoever has no login, its data source answers, and every dashboard is there. */
export function grafanaChecks(target: TargetOf<'grafana'>): ServiceChecks {
  const { id, needs, url, passwordFile, dataSource, dashboards } = target;
  const ask = async (path: string, signal: AbortSignal, expected: string): Promise<HttpReply> => {
    const login = Buffer.from(`${USER}:${await newest(passwordFile)}`).toString('base64');
    return askHttp({ url: `${url}${path}`, headers: { authorization: `Basic ${login}` }, signal }, expected);
  };
  return {
    id,
    needs,
    ready: async (signal) => {
      const reply = await askHttp({ url: `${url}/api/health`, signal }, '200');
      expectStatus(reply, 200);
      if (jsonOf<{ database?: string }>(reply, 'its health').database === 'ok') return;
      throw new CheckFailure({ asked: reply.asked, expected: 'database: ok', came: excerptOf(reply) });
    },
    checks: [
      {
        name: 'refuses who has no login',
        seconds: 10,
        run: async (signal) => {
          const reply = await askHttp({ url: `${url}/api/search`, signal }, '401');
          if (reply.status === 401) return;
          const asked = `${reply.asked} without a login`;
          throw new CheckFailure({ asked, expected: '401', came: excerptOf(reply) });
        },
      },
      {
        name: 'takes its password',
        seconds: 10,
        run: async (signal) => expectStatus(await ask('/api/user', signal, '200'), 200),
      },
      {
        name: 'data source',
        seconds: 20,
        run: async (signal) => {
          const path = `/api/datasources/uid/${dataSource}`;
          expectStatus(await ask(path, signal, '200'), 200, `the data source ${dataSource}`);
          const reply = await ask(`${path}/health`, signal, '200');
          expectStatus(reply, 200, 'Prometheus answers Grafana');
          if (jsonOf<{ status?: string }>(reply, 'its health').status === 'OK') return;
          throw new CheckFailure({ asked: reply.asked, expected: 'status: OK', came: excerptOf(reply) });
        },
      },
      {
        name: 'dashboards',
        // Those of a deploy that has just ended are read within ten seconds.
        seconds: 30,
        run: (signal) => untilThere(dashboards, (uid) => ask(`/api/dashboards/uid/${uid}`, signal, '200'), signal),
      },
    ],
  };
}

/** Waits until every dashboard was read from its file. */
async function untilThere(
  uids: readonly string[],
  read: (uid: string) => Promise<HttpReply>,
  signal: AbortSignal,
): Promise<void> {
  for (const uid of uids) {
    for (;;) {
      const reply = await read(uid);
      if (reply.status !== 404) {
        expectStatus(reply, 200, `the dashboard ${uid}`);
        if (jsonOf<{ meta?: { provisioned?: boolean } }>(reply, 'a dashboard').meta?.provisioned) break;
        const expected = `the dashboard ${uid}, from its file`;
        throw new CheckFailure({ asked: reply.asked, expected, came: 'one that somebody made by hand' });
      }
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) expectStatus(reply, 200, `the dashboard ${uid}`);
    }
  }
}
