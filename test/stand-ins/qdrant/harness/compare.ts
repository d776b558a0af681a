import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Answer } from './http.js';
import type { OperationNumbers } from './operation-numbers.js';
import { familyShapes } from './prometheus.js';
import { type Recorded, recordings } from './recording.js';

/** Scores and stored vectors are sums of 32-bit floats, whose order of addition depends on the processor. */
const TOLERANCE = 1e-4;

/** Response headers that clients depend on. Dates and lengths differ with the time and the collection's name. */
const HEADERS = ['content-type', 'connection', 'content-encoding', 'retry-after', 'vary'];

/** The recorder kept only a part of some answers. What it kept, by the exchange's name, from the whole answer. */
const KEPT: ReadonlyMap<string, (body: Json) => unknown> = new Map<string, (body: Json) => unknown>([
  ['collection_info_after_metadata_patch', (body) => ({ status: body.status, metadata: body.result.config.metadata })],
  ['alias_get_info', (body) => ({ status: body.status, points_count: body.result.points_count })],
  ['ro_collection_info', (body) => ({ status: body.status })],
  [
    'dur_after_kill_info',
    ({ result }) => ({
      status: result.status,
      payload_schema: result.payload_schema,
      points_count: result.points_count,
    }),
  ],
  ['patch_result', (body) => body.result.config.params],
  [
    'point10_info_status',
    ({ result }) => ({
      status: result.status,
      optimizer_status: result.optimizer_status,
      points_count: result.points_count,
      indexed_vectors_count: result.indexed_vectors_count,
    }),
  ],
]);

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, picked apart by name
type Json = any;

/** The first thing that is not as recorded, or undefined. */
export function difference(recorded: Recorded, answer: Answer, numbers: OperationNumbers): string | undefined {
  if (answer.status !== recorded.status) {
    return `status: ${recorded.status} recorded, ${answer.status} ${answer.body.toString().slice(0, 300)}`;
  }
  for (const header of HEADERS) {
    const given = answer.headers[header];
    const expected = recorded.responseHeaders[header];
    // Node's client asks to keep the connection and is told so in a header of its own making.
    if (given !== expected && !(header === 'connection' && expected === undefined && given === 'keep-alive')) {
      return `header ${header}: ${expected} recorded, ${given}`;
    }
  }
  if (recorded.path?.startsWith('/metrics')) {
    return metricsDifference(recorded, answer.body.toString());
  }
  return bodyDifference(recorded, answer, numbers);
}

function bodyDifference(recorded: Recorded, answer: Answer, numbers: OperationNumbers): string | undefined {
  if (answer.headers['content-encoding'] === 'gzip') {
    // The recording holds the length and the hash of other bytes; that ours are whole JSON is all there is to compare.
    return JSON.parse(gunzipSync(answer.body).toString()).status === 'ok' ? undefined : 'body: not an answer';
  }
  const text = answer.body.toString();
  const whole: unknown = answer.headers['content-type'] === 'application/json' ? JSON.parse(text) : text;
  const kept = KEPT.get(recorded.name)?.(whole) ?? whole;
  const collection = /^\/collections\/([^/?]+)/.exec(recorded.path ?? '')?.[1] ?? '';
  const limit = requestedLimit(recorded.request);
  return unequal(
    comparable(numbers.recorded(collection, recorded.response), limit),
    comparable(numbers.given(collection, kept), limit),
    'body',
  );
}

function requestedLimit(request: unknown): number {
  const limit = typeof request === 'object' && request !== null && 'limit' in request ? request.limit : undefined;
  return typeof limit === 'number' ? limit : Number.POSITIVE_INFINITY;
}

/**
 * A metrics page by its families, help texts, types and labels; the numbers are of another machine. Most recordings
 * are only the first lines.
 */
function metricsDifference(recorded: Recorded, text: string): string | undefined {
  if (Array.isArray(recorded.response)) {
    return recorded.response.find((line) => !text.split('\n').includes(line));
  }
  if (recorded.name === 'metrics_after_load') {
    const whole = readFileSync(`${recordings}metrics_after.prom`, 'utf8');
    return unequal(served(familyShapes(whole)), served(familyShapes(text)), 'families');
  }
  const response = String(recorded.response);
  if (response.endsWith('\n')) {
    return unequal(familyShapes(response), familyShapes(text), 'families');
  }
  return text.startsWith(response) ? undefined : `text: ${response} recorded, ${text.slice(0, response.length)}`;
}

/** The families that the stand-in has: the work of the hardware is not measured. */
function served(shapes: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !name.startsWith('collection_hardware_metric_')));
}

/** Without what cannot be equal: durations, and how many segments the engine keeps on this machine. */
function comparable(value: unknown, limit: number): unknown {
  if (Array.isArray(value)) {
    const items = value.every(isScored) ? withoutChance(value, limit) : value;
    return items.map((item) => comparable(item, limit));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'time' && name !== 'usage' && name !== 'segments_count')
      .map(([name, member]) => [name, comparable(member, limit)]),
  );
}

interface Scored {
  readonly id: unknown;
  readonly score: number;
}

function isScored(value: unknown): value is Scored {
  return typeof value === 'object' && value !== null && 'score' in value && typeof value.score === 'number';
}

/**
 * Points with equal scores come in any order, so they are put in one; and where the limit cuts off some of those with
 * the lowest score, it is chance which are left, so that only their scores count.
 */
function withoutChance(points: readonly Scored[], limit: number): object[] {
  const sorted = [...points].sort((a, b) =>
    tied(a, b) ? String(a.id).localeCompare(String(b.id)) : b.score - a.score,
  );
  const last = sorted.at(-1);
  const lowest = sorted.filter((point) => last !== undefined && tied(point, last));
  return points.length === limit && lowest.length > 1
    ? sorted.map((point) => (lowest.includes(point) ? { score: point.score } : point))
    : sorted;
}

function tied(a: Scored, b: Scored): boolean {
  return Math.abs(a.score - b.score) < TOLERANCE;
}

function unequal(expected: unknown, given: unknown, path: string): string | undefined {
  if (typeof expected === 'number' && typeof given === 'number') {
    const allowed = Number.isInteger(expected) && Number.isInteger(given) ? 0 : TOLERANCE;
    return Math.abs(expected - given) <= allowed ? undefined : `${path}: ${expected} recorded, ${given}`;
  }
  if (typeof expected !== 'object' || typeof given !== 'object' || expected === null || given === null) {
    return expected === given ? undefined : `${path}: ${JSON.stringify(expected)} recorded, ${JSON.stringify(given)}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(given)])) {
    const found = unequal(Reflect.get(expected, key), Reflect.get(given, key), `${path}.${key}`);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
