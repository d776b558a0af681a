import { setTimeout as delay } from 'node:timers/promises';
import {
  ANSWERED,
  type AskedApi,
  answersCounted,
  authorisation,
  type Exchange,
  judgeExchange,
  readExchange,
  type Streamed,
  stream,
} from './asked-api.js';
import { type Check, CheckFailure } from './check.js';
import { askHttp, excerptOf, expectStatus, jsonOf } from './http.js';
import { type PathPlan, type SmokePlan, smokeUser, type Target, type TargetOf, targetOf } from './protocol.js';
import { type RunContext, runCheck, skip } from './runner.js';
import { openerOf, ScratchDocument } from './scratch.js';
import { askInChat } from './web-bot.js';

/**
 * How often a question is asked when the answer comes in one piece: a model may have no more than one token to say, and
 * a quick one may say a few between two looks. What gathers answers on their way does so every time.
 */
const ATTEMPTS = 3;

/** How long after the end of an answer it may be counted, in seconds, and the pause between two looks, in milliseconds. */
const COUNTED_SECONDS = 10;
const COUNTED_PAUSE_MS = 250;

/** How long a step that was given up may go on before the document is removed, in milliseconds. */
const GIVEN_UP_MS = 5000;

/** The services on the way, whatever keeps the passages. */
export interface PathServices {
  /** Takes the document. @default - none can be brought in */
  readonly knowledge?: Pick<Target, 'id' | 'needs'>;
  readonly api: AskedApi;
  readonly bot: TargetOf<'web-bot'> | undefined;
  readonly document: AskedDocument;
  /** Who asks; what is kept of this user is removed. */
  readonly user: string;
}

/** What is asked about: a document that is brought in, or only a question about what is there. */
type AskedDocument = Pick<ScratchDocument, 'question'> & Partial<Pick<ScratchDocument, 'source' | 'ingest' | 'remove'>>;

/** One service's part of the path. */
interface Step {
  readonly target: Pick<Target, 'id' | 'needs'>;
  readonly check: Check;
  /** Resolves when the service was asked all that is asked of it alone. @default - it was before the path began */
  readonly after?: Promise<void>;
}

/** The path through a deployed stack. Never rejects. */
export async function walkPath(plan: SmokePlan, context: RunContext, botAsked: Promise<void>): Promise<void> {
  const qdrant = targetOf(plan, 'qdrant');
  const api = targetOf(plan, 'rag-api');
  const bot = targetOf(plan, 'web-bot');
  const embeddings = targetOf(plan, 'embeddings');
  const { question, collection, course } = plan.path;
  const user = smokeUser(plan.run);
  if (api && question !== undefined) {
    await walkDocument({ api, bot, document: { question }, user }, plan.path, context, botAsked);
    return;
  }
  if (!qdrant || !api) {
    const missing = [qdrant ? '' : 'qdrant', api ? '' : 'rag-api'].filter(Boolean);
    skip('rag-api', 'the whole path', 'path', `not asked: ${missing.join(', ')}`, missing, context);
    return;
  }
  if (collection === undefined) {
    skip('rag-api', 'the whole path', 'path', 'no collection that a document can be brought into', [], context);
    return;
  }
  const document = new ScratchDocument(openerOf(qdrant, embeddings, collection), { collection, course }, plan.run);
  // A document is not in before it has its vectors.
  const dense = qdrant.collections.some(({ name, embedding }) => name === collection && embedding !== undefined);
  const needs = [...qdrant.needs, ...(dense && embeddings ? [embeddings.id] : [])];
  const knowledge = { id: qdrant.id, needs };
  await walkDocument({ knowledge, api, bot, document, user }, plan.path, context, botAsked);
}

/**
 * One scratch document from its ingestion to its removal: it is asked about in Russian, through the API and in the
 * chat, and has to come back as the source of a streamed, saved and counted answer. What was asked is forgotten. Where
 * no document can be brought in, a question about what is there takes its place, and any source will do. Never rejects.
 *
 * @param botAsked resolves when the web bot was asked all that is asked of it alone
 */
export async function walkDocument(
  { knowledge, api, bot, document, user }: PathServices,
  plan: PathPlan,
  context: RunContext,
  botAsked: Promise<void>,
): Promise<void> {
  const asked = new Asked();
  const steps: readonly Step[] = [
    ...(knowledge
      ? [{ target: knowledge, check: { name: 'takes a document', seconds: 60, run: async () => document.ingest?.() } }]
      : []),
    { target: api, check: streamCheck(plan, api, { document, user }, asked) },
    { target: api, check: savedCheck(plan, document, asked) },
    ...(api.metricsUrl === undefined ? [] : [{ target: api, check: countedCheck(api.metricsUrl, plan.course, asked) }]),
    ...(bot ? [{ target: bot, check: chatCheck(plan, bot, api, { document, user }), after: botAsked }] : []),
  ];
  const removals: readonly Step[] = [
    ...(knowledge
      ? [
          {
            target: knowledge,
            check: { name: 'gives the document back', seconds: 30, run: async () => document.remove?.() },
          },
        ]
      : []),
    { target: api, check: forgettingCheck(api, user) },
  ];
  const lost = context.board.lostAmong(plan.needs);
  if (lost.length > 0) {
    for (const { target, check } of [...steps, ...removals]) {
      skip(target.id, check.name, 'path', `without ${lost.join(', ')}`, lost, context);
    }
    return;
  }
  const begun = new Set<Promise<void>>();
  try {
    await walk(steps, { ...context, begun });
  } finally {
    // A step that was given up may still be writing what the removal is to remove.
    const settled = Promise.allSettled(begun);
    const inTime = await Promise.race([settled, delay(GIVEN_UP_MS, undefined, { ref: false })]);
    // What comes later is removed later.
    if (!inTime) context.begun.add(settled.then(() => document.remove?.()).catch(() => undefined));
    // Not stopped by what stops the rest: the stack is left as it was found.
    await Promise.all(
      removals.map(({ target, check }) =>
        runCheck(target, check, { ...context, signal: AbortSignal.timeout(check.seconds * 1000) }, 'path'),
      ),
    );
  }
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
  /** What the API had counted before it was asked. */
  countedBefore = 0;
}

/** What is asked, and who asks. */
interface Asking {
  readonly document: AskedDocument;
  readonly user: string;
}

function streamCheck(plan: PathPlan, api: AskedApi, { document, user }: Asking, asked: Asked): Check {
  return {
    name: 'streams an answer',
    seconds: plan.answerSeconds * ATTEMPTS,
    run: async (signal) => {
      if (api.metricsUrl !== undefined) asked.countedBefore = await answersCounted(api.metricsUrl, plan.course, signal);
      for (let attempt = 1; ; attempt += 1) {
        const streamed = await stream(api, { message: document.question, user, course: plan.course }, signal);
        const exchange = await readExchange(api, streamed.exchangeId, signal);
        if (streamed.chunks < 2 && attempt < ATTEMPTS) continue;
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

function savedCheck(plan: PathPlan, document: AskedDocument, asked: Asked): Check {
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

/** The API counts an answer when it has ended, which its reader may know a moment earlier. */
function countedCheck(metricsUrl: string, course: string, asked: Asked): Check {
  return {
    name: 'counts the answer',
    seconds: COUNTED_SECONDS,
    run: async (signal) => {
      let counted: number | undefined;
      for (;;) {
        try {
          counted = await answersCounted(metricsUrl, course, signal);
        } catch (error) {
          // The time may be up in the middle of a request: then what came before says more.
          if (!signal.aborted || counted === undefined) throw error;
        }
        if (counted > asked.countedBefore) return;
        await delay(COUNTED_PAUSE_MS, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) continue;
        throw new CheckFailure({
          asked: `GET ${metricsUrl}/metrics`,
          expected: `more than ${asked.countedBefore} answers of the course ${course} in ${ANSWERED.name}`,
          came: String(counted),
        });
      }
    },
  };
}

/** The chat as its readers see it: piece by piece, with the document as a source, and kept where the API keeps it. */
function chatCheck(plan: PathPlan, bot: TargetOf<'web-bot'>, api: AskedApi, { document, user }: Asking): Check {
  return {
    name: 'answers in the chat',
    seconds: plan.answerSeconds * ATTEMPTS,
    run: async (signal) => {
      const question = { message: document.question, user, course: plan.course };
      const fail = (expected: string, came: string) =>
        new CheckFailure({ asked: `send_message '${document.question}' at ${bot.url}`, expected, came });
      for (let attempt = 1; ; attempt += 1) {
        const { finished, chunks, text } = await askInChat(bot.url, question, signal);
        const sources = finished.sources?.map(({ source }) => source) ?? [];
        if (document.source === undefined ? sources.length === 0 : !sources.includes(document.source)) {
          throw fail(`${document.source ?? 'something'} among the sources`, sources.join(', ') || 'no source');
        }
        if (finished.exchange_id === null) throw fail('an exchange that is kept', 'none');
        const exchange = await readExchange(api, finished.exchange_id, signal);
        if (exchange.answer !== text) {
          const came = `${exchange.answer.length} others in the exchange ${finished.exchange_id}`;
          throw fail(`the ${text.length} characters that were shown`, came);
        }
        if (chunks > 1) return;
        if (attempt < ATTEMPTS) continue;
        throw fail('an answer in more than one piece', `${chunks} piece with ${exchange.completion_tokens} tokens`);
      }
    },
  };
}

/** What was asked is nobody's history: the API forgets it, with all that it keeps of whoever asked. */
function forgettingCheck(api: AskedApi, user: string): Check {
  return {
    name: 'forgets the questions',
    seconds: 30,
    run: async (signal) => {
      const headers = await authorisation(api.keyFile);
      const question = { method: 'DELETE', url: `${api.url}/users/${encodeURIComponent(user)}`, headers } as const;
      expectStatus(await askHttp({ ...question, signal }, '200'), 200);
      const url = `${api.url}/history?user_name=${encodeURIComponent(user)}&limit=1`;
      const reply = await askHttp({ url, headers, signal }, 'no exchange');
      expectStatus(reply, 200);
      const { exchanges } = jsonOf<{ exchanges?: readonly unknown[] }>(reply, 'no exchange');
      if (exchanges?.length === 0) return;
      throw new CheckFailure({ asked: reply.asked, expected: 'no exchange', came: excerptOf(reply) });
    },
  };
}
