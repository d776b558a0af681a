import { setTimeout as delay } from 'node:timers/promises';
import type { Board } from './board.js';
import { CheckFailure, type Finding, type ServiceChecks } from './check.js';
import { askHttp, excerptOf, expectStatus, jsonOf } from './http.js';
import type { TargetOf } from './protocol.js';
import { scrapeCheck } from './scrape.js';

/** Scrape intervals that a target may take to be seen anew, and what comes on top in seconds. */
const INTERVALS = 2;
const MARGIN_SECONDS = 10;
const PAUSE_MS = 500;

export interface ScrapedTarget {
  readonly labels: { readonly instance?: string; readonly job?: string };
  readonly health: string;
  readonly lastError: string;
  readonly lastScrape: string;
}

interface RuleGroup {
  readonly name: string;
  readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[];
}

/** Prometheus: its configuration is the one it was given, every target answers it now, and no rule fails. */
export function prometheusChecks(target: TargetOf<'prometheus'>, board: Board): ServiceChecks {
  const { id, needs, url, scrapeSeconds, alertmanagers } = target;
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/-/ready`, signal }, '200'), 200),
    checks: [
      scrapeCheck(url, 'configuration', 10, [['prometheus_config_last_reload_successful', 1]]),
      {
        name: 'targets',
        seconds: scrapeSeconds * INTERVALS + MARGIN_SECONDS,
        run: (signal) => untilScraped(target, board, signal),
      },
      {
        name: 'rules',
        seconds: scrapeSeconds * INTERVALS + MARGIN_SECONDS,
        run: (signal) => untilEvaluated(url, signal),
      },
      ...(alertmanagers.length === 0
        ? []
        : [{ name: 'alertmanagers', seconds: 10, run: (signal: AbortSignal) => sendsTo(url, alertmanagers, signal) }]),
    ],
  };
}

/**
 * Waits until every target was scraped after now, and well: what was seen before may be of a service that has gone
 * since. A service that has failed is not waited for.
 */
async function untilScraped(
  { url, targets }: TargetOf<'prometheus'>,
  board: Board,
  signal: AbortSignal,
): Promise<void> {
  const since = Date.now();
  let finding: Finding | undefined;
  while (!signal.aborted) {
    const reply = await askHttp({ url: `${url}/api/v1/targets?state=active`, signal }, 'the list of targets').catch(
      (error: unknown) => {
        // The last word is what was seen, not that the time is up.
        if (signal.aborted && finding) throw new CheckFailure(finding);
        throw error;
      },
    );
    expectStatus(reply, 200);
    const { data } = jsonOf<{ data: { activeTargets: readonly ScrapedTarget[] } }>(reply, 'the list of targets');
    const judged = judgeTargets(targets, data.activeTargets, since);
    finding = { asked: reply.asked, expected: 'every target up', came: judged.map(({ came }) => came).join('; ') };
    if (judged.length === 0) return;
    if (judged.every(({ service }) => board.reasonOf(service) !== undefined)) break;
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  throw finding ? new CheckFailure(finding) : signal.reason;
}

/** What is wrong with each target, in the words of the report; nothing when all were scraped after `since`, and well. */
export function judgeTargets(
  expected: TargetOf<'prometheus'>['targets'],
  active: readonly ScrapedTarget[],
  since: number,
): readonly { readonly service: string; readonly came: string }[] {
  const known = expected.flatMap(({ service, instance }) => {
    const found = active.find(({ labels }) => labels.instance === instance);
    if (!found) return [{ service, came: `${instance} is no target` }];
    if (found.health === 'down') return [{ service, came: `${instance} is down: ${found.lastError}` }];
    if (found.health === 'up' && Date.parse(found.lastScrape) > since) return [];
    return [{ service, came: `${instance} was not scraped since` }];
  });
  const instances = new Set(expected.map(({ instance }) => instance));
  const others = active
    .filter(({ labels, health }) => !instances.has(labels.instance ?? '') && health === 'down')
    .map(({ labels, lastError }) => ({ service: '', came: `${labels.instance} is down: ${lastError}` }));
  return [...known, ...others];
}

/** Prometheus knows where to send what fires. Whether that answers is asked of Alertmanager itself. */
async function sendsTo(url: string, alertmanagers: readonly string[], signal: AbortSignal): Promise<void> {
  const reply = await askHttp({ url: `${url}/api/v1/alertmanagers`, signal }, 'the list of Alertmanagers');
  expectStatus(reply, 200);
  const { data } = jsonOf<{ data: { activeAlertmanagers: readonly { readonly url: string }[] } }>(
    reply,
    'the list of Alertmanagers',
  );
  const active = data.activeAlertmanagers.map((it) => new URL(it.url).host);
  if (alertmanagers.every((host) => active.includes(host))) return;
  const came = active.length === 0 ? 'none' : active.join(', ');
  throw new CheckFailure({ asked: reply.asked, expected: alertmanagers.join(', '), came });
}

async function untilEvaluated(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const reply = await askHttp({ url: `${url}/api/v1/rules`, signal }, 'the list of rules');
    expectStatus(reply, 200);
    const { data } = jsonOf<{ data: { groups?: readonly RuleGroup[] } }>(reply, 'the list of rules');
    const rules = (data.groups ?? []).flatMap((group) => group.rules.map((rule) => ({ ...rule, group: group.name })));
    const broken = rules.filter(({ health }) => health === 'err');
    if (broken.length > 0) {
      const came = broken.map(({ group, name, lastError }) => `${group}/${name}: ${lastError ?? 'fails'}`).join('; ');
      throw new CheckFailure({ asked: reply.asked, expected: 'no rule that fails', came });
    }
    const waiting = rules.filter(({ health }) => health !== 'ok');
    if (waiting.length === 0) return;
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      const came = `not evaluated: ${waiting.map(({ name }) => name).join(', ')}; ${excerptOf(reply)}`;
      throw new CheckFailure({ asked: reply.asked, expected: 'every rule evaluated', came });
    }
  }
}
