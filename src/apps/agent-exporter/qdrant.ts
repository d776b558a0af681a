import { request } from 'undici';
import { QDRANT_METRICS } from '../../../dashboards/metrics.js';

/** Longest wait for Qdrant, in milliseconds. */
const TIMEOUT_MS = 5000;

/** Qdrant gives some kilobytes for each collection; what is longer is not read to its end. */
const MOST_BYTES = 16 * 1024 * 1024;

const SAMPLE = new RegExp(`^${QDRANT_METRICS.points.name}\\{(.*)\\}\\s+(\\S+)`);
const COLLECTION = /(?:^|,)\s*id="((?:[^"\\]|\\.)*)"/;

/**
 * Points of each collection, as Qdrant's metrics tell them: approximately, while it optimises. They are served without a
 * key, on a port that leads to nothing else.
 *
 * @throws when Qdrant does not answer with metrics
 */
export async function readPoints(url: string): Promise<ReadonlyMap<string, number>> {
  const { statusCode, body } = await request(`${url}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`Qdrant answered ${statusCode} to /metrics`);
  }
  let text = '';
  body.setEncoding('utf8');
  for await (const chunk of body) {
    text += chunk;
    if (text.length > MOST_BYTES) throw new Error(`the metrics of Qdrant have more than ${MOST_BYTES} bytes`);
  }
  // The name of its version comes first in every release; an answer of something else has no points, either.
  if (!text.includes('app_info')) throw new Error('what answers at the address of Qdrant gives no metrics of Qdrant');
  return pointsOf(text);
}

/** Points by collection, out of a scrape. */
export function pointsOf(scrape: string): ReadonlyMap<string, number> {
  const points = new Map<string, number>();
  for (const line of scrape.split('\n')) {
    const [, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const [, collection] = COLLECTION.exec(labels) ?? [];
    if (collection !== undefined && Number.isFinite(Number(value))) points.set(collection, Number(value));
  }
  return points;
}
