import { type Check, CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, expectStatus } from './http.js';

/** A metric that a scrape has to hold; with a number, in a sample of that value. */
export type WantedMetric = string | readonly [name: string, value: number];

interface Scraped {
  readonly id: string;
  readonly needs: readonly string[];
  readonly url: string;
}

/** An exporter: it answers, and its metrics are what dashboards and alerts stand on. */
export function scrapeChecks(
  { id, needs, url }: Scraped,
  name: string,
  wanted: readonly WantedMetric[],
): ServiceChecks {
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/metrics`, signal }, '200'), 200),
    checks: [scrapeCheck(url, name, 15, wanted)],
  };
}

/** Whether the metrics of a service hold what is wanted. */
export function scrapeCheck(url: string, name: string, seconds: number, wanted: readonly WantedMetric[]): Check {
  return {
    name,
    seconds,
    run: async (signal) => {
      const reply = await askHttp({ url: `${url}/metrics`, signal }, '200');
      expectStatus(reply, 200);
      const came = wanted.flatMap((metric) => faultOf(reply.text, metric));
      if (came.length === 0) return;
      throw new CheckFailure({ asked: reply.asked, expected: wanted.map(show).join(', '), came: came.join(', ') });
    },
  };
}

/** Whether a scrape holds a sample of a metric; its HELP line alone is none. */
export function hasSample(scrape: string, metric: string): boolean {
  return samplesOf(scrape, metric).length > 0;
}

function faultOf(scrape: string, wanted: WantedMetric): readonly string[] {
  const [name, value] = typeof wanted === 'string' ? [wanted] : wanted;
  const samples = samplesOf(scrape, name);
  const [first] = samples;
  if (first === undefined) return [`no ${name}`];
  return value === undefined || samples.some((line) => numberIn(line) === value) ? [] : [first];
}

/** Lines with a sample of a metric. */
export const samplesOf = (scrape: string, metric: string): readonly string[] =>
  scrape.split('\n').filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));

/** The number behind the labels, which may hold spaces; no exporter here gives times. */
export const numberIn = (line: string): number => Number(line.slice(line.lastIndexOf(' ') + 1));

const show = (wanted: WantedMetric): string => (typeof wanted === 'string' ? wanted : wanted.join(' '));
