import { setTimeout as delay } from 'node:timers/promises';
import type { Board } from './board.js';
import { CheckFailure, type Finding, type ServiceChecks } from './check.js';
import { askHttp, expectStatus, type HttpReply, jsonOf } from './http.js';
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

interface StoredSeries {
  /** Each with its time in seconds. */
  readonly values?: readonly (readonly [at: number, value: string])[];
}

interface RuleGroup {
  readonly name: string;
  readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[];
}

/**
 * Prometheus: its configuration is the one it was given, every target answers it now, what it scrapes is kept, it has
 * its rules, and none of them fails.
 */
export function prometheusChecks(target: TargetOf<'prometheus'>, board: Board): ServiceChecks {
  const { id, needs, url, scrapeSeconds, ruleGroups, alertmanagers } = target;
  const scraped = scrapeSeconds * INTERVALS + MARGIN_SECONDS;
  // From when on every target was scraped anew; what was stored is asked for after that.
  let since = Date.now();
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/-/ready`, signal }, '200'), 200),
    checks: [
      scrapeCheck(url, 'configuration', 10, [['prometheus_config_last_reload_successful', 1]]),
      {
        name: 'targets',
        seconds: scraped,
        run: (signal) => {
          since = Date.now();
          return untilScraped(target, board, since, signal);
        },
      },
      { name: 'stores samples', seconds: scraped, run: (signal) => untilStored(url, scraped, since, signal) },
      { name: 'rules', seconds: scraped, run: (signal) => untilEvaluated(url, ruleGroups, signal) },
      ...(alertmanagers.length === 0
        ? []
        : [{ name: 'alertmanagers', seconds: 10, run: (signal: AbortSignal) => sendsTo(url, alertmanagers, signal) }]),
    ],
  };
}

/**
 * Waits until every target was scraped after `since`, and well: what was seen before may be of a service that has gone
 * since. A service that has failed is not waited for.
 */
async function untilScraped(
  { url, targets }: TargetOf<'prometheus'>,
  board: Board,
  since: number,
  signal: AbortSignal,
): Promise<void> {
  let finding: Finding | undefined;
  while (!signal.aborted) {
    const reply = await askAgain(`${url}/api/v1/targets?state=active`, 'the list of targets', signal, finding);
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

/**
 * Waits until a sample can be read back that was taken after `since`, a time in milliseconds. Who cannot write to the disk
 * scrapes all the same.
 *
 * @param seconds how far to look back
 */
async function untilStored(url: string, seconds: number, since: number, signal: AbortSignal): Promise<void> {
  const expected = `a sample that was taken after ${new Date(since).toISOString()}`;
  let finding: Finding | undefined;
  while (!signal.aborted) {
    // Samples as they were stored: a plain `up` is carried on from those of the last minutes.
    const query = new URLSearchParams({ query: `up[${seconds}s]` });
    const reply = await askAgain(`${url}/api/v1/query?${query}`, expected, signal, finding);
    expectStatus(reply, 200);
    const { data } = jsonOf<{ data: { result: readonly StoredSeries[] } }>(reply, expected);
    const newest = Math.max(...data.result.flatMap(({ values = [] }) => values.map(([at]) => at * 1000)));
    if (newest > since) return;
    const came = Number.isFinite(newest) ? `the newest is of ${new Date(newest).toISOString()}` : 'none';
    finding = { asked: reply.asked, expected, came };
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  throw finding ? new CheckFailure(finding) : signal.reason;
}

async function untilEvaluated(url: string, groups: readonly string[], signal: AbortSignal): Promise<void> {
  let finding: Finding | undefined;
  while (!signal.aborted) {
    const reply = await askAgain(`${url}/api/v1/rules`, 'the list of rules', signal, finding);
    expectStatus(reply, 200);
    const { data } = jsonOf<{ data: { groups?: readonly RuleGroup[] } }>(reply, 'the list of rules');
    const read = data.groups ?? [];
    const rules = read.flatMap((group) => group.rules.map((rule) => ({ ...rule, group: group.name })));
    const broken = rules.filter(({ health }) => health === 'err');
    if (broken.length > 0) {
      const came = broken.map(({ group, name, lastError }) => `${group}/${name}: ${lastError ?? 'fails'}`).join('; ');
      throw new CheckFailure({ asked: reply.asked, expected: 'no rule that fails', came });
    }
    const missing = groups.filter((group) => !read.some(({ name }) => name === group));
    const waiting = rules.filter(({ health }) => health !== 'ok');
    if (missing.length === 0 && waiting.length === 0) return;
    const came = [
      ...(missing.length > 0 ? [`no group ${missing.join(', ')}`] : []),
      ...(waiting.length > 0 ? [`not evaluated: ${waiting.map(({ name }) => name).join(', ')}`] : []),
    ];
    const wanted = groups.length > 0 ? `the groups ${groups.join(', ')}, ` : '';
    finding = { asked: reply.asked, expected: `${wanted}every rule evaluated`, came: came.join('; ') };
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  throw finding ? new CheckFailure(finding) : signal.reason;
}

/** One more look. When the time is up the last word is what was seen before, not that it was up. */
async function askAgain(
  url: string,
  expected: string,
  signal: AbortSignal,
  seen: Finding | undefined,
): Promise<HttpReply> {
  return askHttp({ url, signal }, expected).catch((error: unknown) => {
    if (signal.aborted && seen) throw new CheckFailure(seen);
    throw error;
  });
}
