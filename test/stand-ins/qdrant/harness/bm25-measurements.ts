import { call } from './http.js';
import type { Recorded } from './recording.js';

/** The text whose tokens the recorded options were tried on. */
const TEXT = 'Курсы и задания курса';
const COLLECTION = '/collections/bm25lab';
const TOLERANCE = 1e-5;

type Weights = Readonly<Record<string, number>>;

/** Measurements of BM25 hold what was asked and what came of it, so that they can be repeated. */
export function isBm25Measurement({ method, name }: Recorded): boolean {
  return method === null && /^bm25_(option_|model_|(russian|english_default)_index_table$)/.test(name);
}

export async function bm25Difference(port: number, recorded: Recorded): Promise<string | undefined> {
  if (recorded.name.endsWith('_index_table')) {
    const options = recorded.name.includes('russian') ? { language: 'russian' } : undefined;
    return tableDifference(port, recorded.response as Readonly<Record<string, number[]>>, options);
  }
  const { response } = recorded;
  const measured = response as { options?: unknown; status: number; result: Weights | { error: string } };
  const document = recorded.name.startsWith('bm25_model_')
    ? { text: 'курс', model: recorded.name.slice('bm25_model_'.length), options: { language: 'russian' } }
    : { text: TEXT, model: 'qdrant/bm25', ...(measured.options === null ? {} : { options: measured.options }) };
  const { status, result } = await stored(port, document);
  if (status !== measured.status) {
    return `status: ${measured.status} recorded, ${status} ${JSON.stringify(result)}`;
  }
  return sameWeights(measured.result, result)
    ? undefined
    : `${JSON.stringify(measured.result)} recorded, ${JSON.stringify(result)}`;
}

async function tableDifference(
  port: number,
  table: Readonly<Record<string, number[]>>,
  options: unknown,
): Promise<string | undefined> {
  for (const [text, indices] of Object.entries(table)) {
    const { result } = await stored(port, {
      text,
      model: 'qdrant/bm25',
      ...(options === undefined ? {} : { options }),
    });
    const given = Object.keys(result).map(Number);
    if (given.sort().join() !== [...indices].sort().join()) {
      return `${text}: ${indices} recorded, ${given}`;
    }
  }
  return undefined;
}

/** What is stored for a document: weights by token, or the refusal. */
async function stored(
  port: number,
  document: unknown,
): Promise<{ status: number; result: Weights | { error: string } }> {
  const upsert = await call(port, 'PUT', `${COLLECTION}/points?wait=true`, {
    points: [{ id: 1, vector: { bm25: document } }],
  });
  if (upsert.status !== 200) {
    return { status: upsert.status, result: (upsert.body as { status: { error: string } }).status };
  }
  const { body } = await call(port, 'POST', `${COLLECTION}/points`, { ids: [1], with_vector: true });
  const [point] = (body as { result: { vector: { bm25?: { indices: number[]; values: number[] } } }[] }).result;
  const { indices, values } = point?.vector.bm25 ?? { indices: [], values: [] };
  return { status: 200, result: Object.fromEntries(indices.map((index, at) => [index, values[at] ?? Number.NaN])) };
}

function sameWeights(expected: Weights | { error: string }, given: Weights | { error: string }): boolean {
  const names = Object.keys(expected);
  return (
    names.length === Object.keys(given).length &&
    names.every((name) => {
      const [a, b] = [Reflect.get(expected, name), Reflect.get(given, name)];
      return typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= TOLERANCE : a === b;
    })
  );
}
