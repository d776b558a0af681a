import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { newest } from '../../secret-file.js';
import { leftoversOf } from '../leftovers.js';
import { type Check, CheckFailure, describe, type Finding } from './check.js';
import { askHttp, excerptOf, expectStatus, jsonOf, openHttp } from './http.js';
import { type PathPlan, SMOKE_USER, type SmokePlan, type Target, type TargetOf } from './protocol.js';
import { sweepScratchCollections } from './qdrant.js';
import { type RunContext, runCheck, skip } from './runner.js';
import { openerOf, ScratchDocument, sweepScratchDocuments } from './scratch.js';
import { askInChat } from './web-bot.js';

/** How often a question is asked again when the model had nothing to say but its end. */
const ATTEMPTS = 3;

/** How long a step that was given up may go on before the document is removed, in milliseconds. */
const GIVEN_UP_MS = 5000;

/** What the path looks at in a saved exchange. */
const Exchange = z.object({
  status: z.string(),
  question: z.string(),
  answer: z.string(),
  refused: z.boolean(),
  sources: z.array(z.object({ source: z.string(), collection: z.string() })),
  completion_tokens: z.number().nullable(),
});
type Exchange = z.output<typeof Exchange>;

interface Streamed {
  readonly exchangeId: string;
  readonly text: string;
  readonly chunks: number;
}

/** What a question is asked of. @see SmokePlan */
export interface AskedApi extends Pick<Target, 'id' | 'needs'> {
  readonly url: string;
  /** @default - the API asks for no key */
  readonly keyFile?: string;
}

/** The services on the way, whatever keeps the passages. */
export interface PathServices {
  /** Takes the document. */
  readonly knowledge: Pick<Target, 'id' | 'needs'>;
  readonly api: AskedApi;
  readonly bot: TargetOf<'web-bot'> | undefined;
  readonly document: ScratchDocument;
}

/** One service's part of the path. */
interface Step {
  readonly target: Pick<Target, 'id' | 'needs'>;
  readonly check: Check;
  /** Resolves when the service was asked all that is asked of it alone. @default - it was before the path began */
  readonly after?: Promise<void>;
}

/** The path through a deployed stack. Never rejects. */
export async function walkPath(plan: SmokePlan, context: RunContext, botAsked: Promise<void>): Promise<void> {
  const qdrant = find(plan, 'qdrant');
  const api = find(plan, 'rag-api');
  const bot = find(plan, 'web-bot');
  if (!qdrant || !api) {
    const missing = [qdrant ? '' : 'qdrant', api ? '' : 'rag-api'].filter(Boolean);
    skip('rag-api', 'the whole path', 'path', `not asked: ${missing.join(', ')}`, missing, context);
    return;
  }
  const document = new ScratchDocument(
    openerOf(qdrant, find(plan, 'embeddings'), plan.path.collection),
    plan.path,
    plan.run,
  );
  await walkDocument({ knowledge: qdrant, api, bot, document }, plan.path, context, botAsked);
}

/**
 * One scratch document from its ingestion to its removal: it is asked about in Russian, through the API and in the
 * chat, and has to come back as the source of a streamed, saved answer. Never rejects.
 *
 * @param botAsked resolves when the web bot was asked all that is asked of it alone
 */
export async function walkDocument(
  { knowledge, api, bot, document }: PathServices,
  plan: PathPlan,
  context: RunContext,
  botAsked: Promise<void>,
): Promise<void> {
  const asked = new Asked();
  const steps: readonly Step[] = [
    { target: knowledge, check: { name: 'takes a document', seconds: 60, run: () => document.ingest() } },
    { target: api, check: streamCheck(plan, api, document, asked) },
    { target: api, check: savedCheck(plan, document, asked) },
    ...(bot ? [{ target: bot, check: chatCheck(plan, bot, document), after: botAsked }] : []),
  ];

  const removal: Check = { name: 'gives the document back', seconds: 30, run: () => document.remove() };
  const lost = context.board.lostAmong(plan.needs);
  if (lost.length > 0) {
    for (const { target, check } of [...steps, { target: knowledge, check: removal }]) {
      skip(target.id, check.name, 'path', `without ${lost.join(', ')}`, lost, context);
    }
    return;
  }
  const begun = new Set<Promise<void>>();
  try {
    await walk(steps, { ...context, begun });
  } finally {
    // A step that was given up may still be writing what the removal is to remove.
    await Promise.race([Promise.allSettled(begun), delay(GIVEN_UP_MS, undefined, { ref: false })]);
    // Not stopped by what stops the rest: the stack is left as it was found.
    await runCheck(knowledge, removal, { ...context, signal: AbortSignal.timeout(removal.seconds * 1000) }, 'path');
  }
}

/** Remove what cut-off runs left behind, as far as Qdrant lets us: what it refuses, its own checks report. */
export async function sweepLeftovers(plan: SmokePlan, signal: AbortSignal): Promise<void> {
  const qdrant = find(plan, 'qdrant');
  if (!qdrant) return;
  const isLeftover = leftoversOf(plan);
  await sweepScratchCollections(qdrant, isLeftover, signal);
  await sweepScratchDocuments(qdrant, find(plan, 'embeddings'), plan.path, isLeftover, signal);
}

/** After a failed step the rest would only fail with it. */
async function walk(steps: readonly Step[], context: RunContext): Promise<void> {
  let broken: string | undefined;
  for (const { target, check, after } of steps) {
    if (broken === undefined) await after;
    const lost = context.board.lostAmong([target.id]);
    if (broken !== undefined) skip(target.id, check.name, 'path', `${broken} failed`, [], context);
    else if (lost.length > 0) skip(target.id, check.name, 'path', `without ${target.id}`, [], context);
    else if ((await runCheck(target, check, context, 'path')) === 'failed') broken = `'${check.name}'`;
  }
}

/** The answer that the following steps look at. */
class Asked {
  streamed: Streamed | undefined;
  exchange: Exchange | undefined;
}

function streamCheck(plan: PathPlan, api: AskedApi, document: ScratchDocument, asked: Asked): Check {
  return {
    name: 'streams an answer',
    seconds: plan.answerSeconds * ATTEMPTS,
    run: async (signal) => {
      for (let attempt = 1; ; attempt += 1) {
        const streamed = await stream(api, document.question, plan.course, signal);
        const exchange = await readExchange(api, streamed.exchangeId, signal);
        const tokens = exchange.completion_tokens ?? Number.POSITIVE_INFINITY;
        // A model may have nothing to say: one token cannot come in two pieces.
        if (streamed.chunks < 2 && tokens < 2 && attempt < ATTEMPTS) continue;
        asked.streamed = streamed;
        asked.exchange = exchange;
        if (streamed.chunks > 1) return;
        throw new CheckFailure({
          asked: `POST ${api.url}/process_message '${document.question}'`,
          expected: 'an answer in more than one piece',
          came: `${streamed.chunks} piece with ${exchange.completion_tokens} tokens, ${streamed.text.length} characters`,
        });
      }
    },
  };
}

function savedCheck(plan: PathPlan, document: ScratchDocument, asked: Asked): Check {
  return {
    name: 'keeps the exchange with its source',
    seconds: 10,
    run: async () => {
      const { streamed, exchange } = asked;
      if (!streamed || !exchange) throw new Error('there was no answer');
      judgeExchange(exchange, { streamed, document, collection: plan.collection });
    },
  };
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
    readonly document: Pick<ScratchDocument, 'question' | 'source'>;
    readonly collection: string;
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
  const found = exchange.sources.some((it) => it.source === document.source && it.collection === collection);
  if (found) return;
  const came = exchange.sources.map((it) => `${it.collection}/${it.source}`).join(', ') || 'no source';
  throw fail(`${collection}/${document.source} among the sources`, came);
}

function chatCheck(plan: PathPlan, bot: TargetOf<'web-bot'>, document: ScratchDocument): Check {
  return {
    name: 'answers in the chat',
    seconds: plan.answerSeconds,
    run: async (signal) => {
      const { finished } = await askInChat(bot.url, document.question, plan.course, signal);
      if (finished.sources?.some(({ source }) => source === document.source)) return;
      const came = finished.sources?.map(({ source }) => source).join(', ') || 'no source';
      throw new CheckFailure({
        asked: `send_message '${document.question}' at ${bot.url}`,
        expected: `${document.source} among the sources`,
        came,
      });
    },
  };
}

/** One question to the API, with its answer piece by piece. Throws unless it ended cleanly. */
export async function stream(
  { url, keyFile }: Pick<AskedApi, 'url' | 'keyFile'>,
  message: string,
  course: string,
  signal: AbortSignal,
): Promise<Streamed> {
  const question = {
    method: 'POST',
    url: `${url}/process_message`,
    headers: await authorisation(keyFile),
    body: { message, user_name: SMOKE_USER, course },
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

async function authorisation(keyFile: string | undefined): Promise<Record<string, string>> {
  return keyFile === undefined ? {} : { authorization: `Bearer ${await newest(keyFile)}` };
}

async function readExchange(api: AskedApi, id: string, signal: AbortSignal): Promise<Exchange> {
  const headers = await authorisation(api.keyFile);
  const reply = await askHttp({ url: `${api.url}/exchanges/${id}`, headers, signal }, 'the exchange');
  expectStatus(reply, 200);
  const parsed = Exchange.safeParse(jsonOf(reply, 'an exchange'));
  if (parsed.success) return parsed.data;
  throw new CheckFailure({ asked: reply.asked, expected: 'an exchange', came: excerptOf(reply) });
}

function find<Kind extends Target['kind']>(plan: SmokePlan, kind: Kind): TargetOf<Kind> | undefined {
  return plan.targets.find((target): target is TargetOf<Kind> => target.kind === kind);
}
