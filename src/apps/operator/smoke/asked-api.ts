import { z } from 'zod';
import { RAG_API_METRICS } from '../../../../dashboards/metrics.js';
import { newest } from '../../secret-file.js';
import { CheckFailure, describe, type Finding } from './check.js';
import { askHttp, excerptOf, expectStatus, jsonOf, openHttp } from './http.js';
import type { Target } from './protocol.js';
import { numberIn, samplesOf } from './scrape.js';
import type { ScratchDocument } from './scratch.js';
import type { SmokeQuestion } from './web-bot.js';

/** What the API counts its answers in. */
export const ANSWERED = RAG_API_METRICS.requests;

/** What the path looks at in a saved exchange. */
const Exchange = z.object({
  status: z.string(),
  question: z.string(),
  answer: z.string(),
  refused: z.boolean(),
  sources: z.array(z.object({ source: z.string(), collection: z.string() })),
  completion_tokens: z.number().nullable(),
});
export type Exchange = z.output<typeof Exchange>;

/** An answer as it came. */
export interface Streamed {
  readonly exchangeId: string;
  readonly text: string;
  readonly chunks: number;
}

/** What a question is asked of. @see SmokePlan */
export interface AskedApi extends Pick<Target, 'id' | 'needs'> {
  readonly url: string;
  /** @default - the API asks for no key */
  readonly keyFile?: string;
  /** Where it serves its metrics. @default - whether it counts cannot be seen from here */
  readonly metricsUrl?: string | undefined;
}

/** One question to the API, with its answer piece by piece. Throws unless it ended cleanly. */
export async function stream(
  { url, keyFile }: Pick<AskedApi, 'url' | 'keyFile'>,
  { message, user, course }: SmokeQuestion,
  signal: AbortSignal,
): Promise<Streamed> {
  const question = {
    method: 'POST',
    url: `${url}/process_message`,
    headers: await authorisation(keyFile),
    body: { message, user_name: user, course },
    signal,
  } as const;
  const expected = 'an answer that is streamed to its end';
  const finding: Omit<Finding, 'came'> = { asked: `POST ${question.url} '${message}'`, expected };
  const response = await openHttp(question, expected);
  if (response.statusCode !== 200) {
    const text = await response.body.text();
    throw new CheckFailure({ ...finding, came: excerptOf({ status: response.statusCode, text }) });
  }
  const decoder = new TextDecoder();
  let text = '';
  let chunks = 0;
  try {
    for await (const bytes of response.body) {
      text += decoder.decode(bytes, { stream: true });
      chunks += 1;
    }
  } catch (cause) {
    throw new CheckFailure({ ...finding, came: `${chunks} pieces, and then: ${describe(cause)}` }, { cause });
  }
  if (text.trim() === '') throw new CheckFailure({ ...finding, came: '200, and an empty answer' });
  const exchangeId = response.headers['x-exchange-id'];
  const degraded = response.headers['x-rag-degraded'];
  if (typeof exchangeId === 'string' && degraded === undefined) return { exchangeId, text, chunks };
  const came = `an answer without ${String(degraded ?? 'an exchange that is kept')}`;
  throw new CheckFailure({ ...finding, expected: 'an answer with all of its parts', came });
}

export async function authorisation(keyFile: string | undefined): Promise<Record<string, string>> {
  return keyFile === undefined ? {} : { authorization: `Bearer ${await newest(keyFile)}` };
}

/** What the API kept of an answer. */
export async function readExchange(api: AskedApi, id: string, signal: AbortSignal): Promise<Exchange> {
  const headers = await authorisation(api.keyFile);
  const reply = await askHttp({ url: `${api.url}/exchanges/${id}`, headers, signal }, 'the exchange');
  expectStatus(reply, 200);
  const parsed = Exchange.safeParse(jsonOf(reply, 'an exchange'));
  if (parsed.success) return parsed.data;
  throw new CheckFailure({ asked: reply.asked, expected: 'an exchange', came: excerptOf(reply) });
}

/** What the API has counted as answered. It begins at 0 with every start, and says nothing of a course before. */
export async function answersCounted(metricsUrl: string, course: string, signal: AbortSignal): Promise<number> {
  const reply = await askHttp({ url: `${metricsUrl}/metrics`, signal }, '200');
  expectStatus(reply, 200);
  const samples = samplesOf(reply.text, ANSWERED.name);
  const label = `course="${course.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return samples
    .filter((line) => line.includes(label) && line.includes('outcome="answered"'))
    .reduce((sum, line) => sum + numberIn(line), 0);
}

/** Throws unless the exchange is the one that was asked and streamed, with the document as its source. */
export function judgeExchange(
  exchange: Exchange,
  {
    streamed,
    document,
    collection,
  }: {
    readonly streamed: Streamed;
    /** Without a source any will do. */
    readonly document: Pick<ScratchDocument, 'question'> & Partial<Pick<ScratchDocument, 'source'>>;
    readonly collection: string | undefined;
  },
): void {
  const asked = `GET /exchanges/${streamed.exchangeId}`;
  const fail = (expected: string, came: string) => new CheckFailure({ asked, expected, came });
  if (exchange.status !== 'complete') throw fail('status complete', `status ${exchange.status}`);
  if (exchange.question !== document.question) throw fail(`'${document.question}'`, `'${exchange.question}'`);
  if (exchange.refused) throw fail('an answer of the model', 'the refusal for questions without a passage');
  if (exchange.answer !== streamed.text) {
    throw fail(`the ${streamed.text.length} characters that were streamed`, `${exchange.answer.length} others`);
  }
  const { source } = document;
  const found = exchange.sources.some((it) => it.source === source && it.collection === collection);
  if (source === undefined ? exchange.sources.length > 0 : found) return;
  const came = exchange.sources.map((it) => `${it.collection}/${it.source}`).join(', ') || 'no source';
  throw fail(source === undefined ? 'a source' : `${collection}/${source} among the sources`, came);
}
