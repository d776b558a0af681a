import { setTimeout as delay } from 'node:timers/promises';
import { CheckFailure, type Finding, type ServiceChecks } from './check.js';
import { askHttp, expectStatus } from './http.js';
import type { TargetOf } from './protocol.js';

const PAUSE_MS = 500;

/** The exporter reads every source at least once a minute; what it failed to read before is read then. */
const SECONDS = 75;

/** The exporter answers without its sources, too: what counts is whether it could read each of them. */
export function agentExporterChecks({ id, needs, url, collections }: TargetOf<'agent-exporter'>): ServiceChecks {
  const read = (signal: AbortSignal) => askHttp({ url: `${url}/metrics`, signal }, '200');
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await read(signal), 200),
    checks: [
      {
        name: 'reads its sources',
        seconds: SECONDS,
        run: async (signal) => {
          for (;;) {
            const reply = await read(signal);
            expectStatus(reply, 200);
            const fault = faultOf(reply.text, collections);
            if (!fault) return;
            await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
            if (signal.aborted) throw new CheckFailure({ asked: reply.asked, ...fault });
          }
        },
      },
    ],
  };
}

/** What is missing in a scrape; undefined when every source was read and every collection is known. */
function faultOf(scrape: string, collections: readonly string[]): Omit<Finding, 'asked'> | undefined {
  const sources = [...scrape.matchAll(/^rag_exporter_up\{source="[^"]*"\} (\S+)$/gm)];
  if (sources.length === 0 || sources.some(([, up]) => up !== '1')) {
    const came = sources.map(([line]) => line).join(', ') || 'no such metric';
    return { expected: 'rag_exporter_up 1 for every source', came };
  }
  const missing = collections.filter((name) => !scrape.includes(`\nrag_knowledge_points{collection="${name}"}`));
  if (missing.length === 0) return undefined;
  return { expected: `points of ${collections.join(', ')}`, came: `none of ${missing.join(', ')}` };
}
