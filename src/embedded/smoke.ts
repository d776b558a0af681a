import { randomUUID } from 'node:crypto';
import { Board } from '../apps/operator/smoke/board.js';
import { type Check, CheckFailure, type ServiceChecks } from '../apps/operator/smoke/check.js';
import { askHttp, expectStatus } from '../apps/operator/smoke/http.js';
import { walkDocument } from '../apps/operator/smoke/path.js';
import { type CheckResult, SMOKE_USER, type TargetOf } from '../apps/operator/smoke/protocol.js';
import { type RunContext, runCheck, runService } from '../apps/operator/smoke/runner.js';
import { SCRATCH_PREFIX, ScratchDocument } from '../apps/operator/smoke/scratch.js';
import { webBotChecks } from '../apps/operator/smoke/web-bot.js';
import { CitationFilter } from '../rag/citations.js';
import { openAnswer } from '../rag/stream.js';
import { Results, type SmokeReport } from '../smoke/report.js';
import type { Embedded } from './embedded.js';
import { MATERIAL } from './settings.js';

/** Answers that the model gives in these checks: one alone, one through the API, one in the chat. */
const ANSWERS = 3;

/** Longest time for everything else, in seconds. */
const OTHER_SECONDS = 60;

export interface EmbeddedSmokeOptions {
  readonly course: string;
  /** Longest answer, in seconds. */
  readonly answerSeconds: number;
  readonly signal: AbortSignal;
  readonly onCheck: (result: CheckResult) => void;
}

/**
 * The smoke tests of a deployed stack, as far as they apply to one process: each part by itself, then one document
 * through all of them. Leaves nothing behind. A failed check is a part of the report.
 */
export async function smokeEmbedded(embedded: Embedded, options: EmbeddedSmokeOptions): Promise<SmokeReport> {
  const { course, answerSeconds, signal, onCheck } = options;
  const began = performance.now();
  const startedAt = new Date().toISOString();
  const results = new Results();
  const context: RunContext = {
    board: new Board(),
    report: (event) => {
      if (event.event !== 'check') return;
      results.add(event.result);
      onCheck(event.result);
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout((ANSWERS * answerSeconds + OTHER_SECONDS) * 1000)]),
    begun: new Set(),
  };
  const { url } = embedded;
  const bot: TargetOf<'web-bot'> = { kind: 'web-bot', id: 'web-bot', needs: ['rag-api'], url };
  const api = { id: 'rag-api', needs: ['history', 'llm'], url };
  for (const service of [
    historyChecks(embedded),
    llmChecks(embedded, answerSeconds),
    apiChecks(api),
    webBotChecks(bot),
  ]) {
    await runService(service, context);
  }
  const document = new ScratchDocument(
    async () => embedded.passages.store(MATERIAL),
    { collection: MATERIAL, course },
    randomUUID(),
  );
  const plan = { needs: ['history', 'llm', 'rag-api'], collection: MATERIAL, course, answerSeconds };
  const knowledge = { id: 'retrieval', needs: ['history'] };
  await walkDocument({ knowledge, api, bot, document, user: SMOKE_USER }, plan, context, Promise.resolve());
  await runCheck({ id: 'history', needs: [] }, tidyCheck(embedded), {
    ...context,
    signal: AbortSignal.timeout(10_000),
  });
  const seconds = Math.round(performance.now() - began) / 1000;
  return results.report({ environment: 'embedded', level: 'path', startedAt, seconds }, new Map());
}

/**
 * Removes what the checks asked, which is no history of anybody, and what a run that was killed has left: nobody else
 * uses the folder, so that every scratch document is nobody's by now.
 */
function tidyCheck({ history, passages }: Embedded): Check {
  return {
    name: 'leaves nothing behind',
    seconds: 10,
    run: async () => {
      await history.forget(SMOKE_USER);
      await passages.removeSources(MATERIAL, SCRATCH_PREFIX);
    },
  };
}

function historyChecks({ history }: Embedded): ServiceChecks {
  return {
    id: 'history',
    needs: [],
    ready: () => history.check(),
    checks: [
      {
        name: 'keeps an exchange',
        seconds: 10,
        run: async () => {
          const id = randomUUID();
          const question = 'Сохраняется ли этот вопрос?';
          await history.begin({ id, requestId: id, userName: SMOKE_USER, course: '-', question, model: '-' });
          await history.finish(id, {
            status: 'complete',
            answer: 'Да.',
            refused: false,
            sources: [],
            degraded: [],
            timings: {},
          });
          const found = await history.find(id);
          if (found?.status === 'complete' && found.question === question && found.answer === 'Да.') return;
          const came = found ? `${found.status}: '${found.question}', '${found.answer}'` : 'nothing';
          throw new CheckFailure({ asked: 'an exchange that was saved', expected: 'the same exchange', came });
        },
      },
    ],
  };
}

function llmChecks({ llm }: Embedded, answerSeconds: number): ServiceChecks {
  return {
    id: 'llm',
    needs: [],
    ready: (signal) => llm.check(signal),
    checks: [
      {
        name: 'streams an answer',
        seconds: answerSeconds,
        run: async (signal) => {
          const question = 'Ответь одним словом: какого цвета снег?';
          const prompt = { messages: [{ role: 'user', content: question }], question, passages: [] } as const;
          const { rest } = await openAnswer(llm, prompt, new CitationFilter(0), signal);
          // Ends only after a finish_reason; throws otherwise.
          for await (const _event of rest);
        },
      },
    ],
  };
}

function apiChecks({ id, needs, url }: { id: string; needs: string[]; url: string }): ServiceChecks {
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/readyz`, signal }, '200'), 200),
    checks: [
      {
        name: 'metrics',
        seconds: 10,
        run: async (signal) => {
          const reply = await askHttp({ url: `${url}/metrics`, signal }, '200');
          expectStatus(reply, 200);
          if (reply.text.includes('rag_streams_in_flight')) return;
          throw new CheckFailure({ asked: reply.asked, expected: 'rag_streams_in_flight', came: 'other metrics' });
        },
      },
    ],
  };
}
