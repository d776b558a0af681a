import type { Dispatcher } from 'undici';
import { readChatEvent } from '../../../rag/llm/openai-events.js';
import { SseDecoder } from '../../../rag/llm/sse.js';
import { newest } from '../../secret-file.js';
import { type Check, CheckFailure, describe, type ServiceChecks } from './check.js';
import { askHttp, dropBody, excerptOf, expectStatus, type HttpQuestion, jsonOf, openHttp } from './http.js';
import type { TargetOf } from './protocol.js';

/** Long enough for a token, short enough for a CPU. */
const MAX_TOKENS = 16;

/** Longest answer of a few tokens, in seconds: on a processor that has other work. */
const ANSWER_SECONDS = 120;

/**
 * A server of the OpenAI protocol: it lists its model, guards it if it has a key, completes a text, and streams an
 * answer to its end.
 */
export function llmChecks({ id, needs, url, keyFile, model, completes }: TargetOf<'llm'>): ServiceChecks {
  const authorised = async (): Promise<Record<string, string>> =>
    keyFile === undefined ? {} : { authorization: `Bearer ${await newest(keyFile)}` };
  return {
    id,
    needs,
    ready: async (signal) => {
      const expected = `a list with ${model}`;
      const reply = await askHttp({ url: `${url}/v1/models`, headers: await authorised(), signal }, expected);
      expectStatus(reply, 200, expected);
      const { data = [] } = jsonOf<{ data?: readonly { readonly id?: unknown }[] }>(reply, expected);
      const names = data.map((entry) => entry.id);
      if (names.includes(model)) return;
      const came = `a list of ${names.join(', ') || 'nothing'}`;
      // A server that lists models has loaded what it was told to load.
      throw new CheckFailure({ asked: reply.asked, expected, came }, { final: names.length > 0 });
    },
    checks: [
      ...(keyFile === undefined ? [] : [wrongKeyCheck(url, model)]),
      ...(completes ? [completionCheck(url, model, authorised)] : []),
      {
        name: 'streams an answer',
        seconds: ANSWER_SECONDS,
        run: async (signal) => {
          const question = chat(url, model, await authorised(), signal);
          await judgeChat(await openHttp(question, 'a stream of tokens'), `a chat at ${question.url}`);
        },
      },
    ],
  };
}

/** A text of the model in one piece: with a token, and with the reason for its end. */
function completionCheck(url: string, model: string, authorised: () => Promise<Record<string, string>>): Check {
  return {
    name: 'completes a text',
    seconds: ANSWER_SECONDS,
    run: async (signal) => {
      const expected = 'a text that is not empty, and a finish_reason';
      const body = { model, prompt: 'Зимой идёт белый', max_tokens: MAX_TOKENS, temperature: 0 };
      const question = { method: 'POST', url: `${url}/v1/completions`, headers: await authorised(), body } as const;
      const reply = await askHttp({ ...question, signal }, expected);
      expectStatus(reply, 200, expected);
      const { choices } = jsonOf<{ choices?: readonly Choice[] }>(reply, expected);
      const choice = Array.isArray(choices) ? (choices[0] as Choice | undefined) : undefined;
      if (typeof choice?.text === 'string' && choice.text !== '' && typeof choice.finish_reason === 'string') return;
      throw new CheckFailure({ asked: reply.asked, expected, came: excerptOf(reply) });
    },
  };
}

interface Choice {
  readonly text?: unknown;
  readonly finish_reason?: unknown;
}

function wrongKeyCheck(url: string, model: string): Check {
  return {
    name: 'refuses a wrong key',
    seconds: 20,
    run: async (signal) => {
      const question = chat(url, model, { authorization: 'Bearer not-the-key-of-this-server' }, signal);
      const response = await openHttp(question, '401');
      dropBody(response);
      const status = response.statusCode;
      if (status === 401 || status === 403) return;
      throw new CheckFailure({ asked: 'a chat with a wrong key', expected: '401', came: String(status) });
    },
  };
}

function chat(url: string, model: string, headers: Record<string, string>, signal: AbortSignal): HttpQuestion {
  return {
    method: 'POST',
    url: `${url}/v1/chat/completions`,
    headers: { ...headers, accept: 'text/event-stream' },
    body: {
      model,
      messages: [{ role: 'user', content: 'Ответь одним словом: какого цвета снег?' }],
      stream: true,
      max_tokens: MAX_TOKENS,
      temperature: 0,
    },
    signal,
  };
}

/**
 * Throws unless the stream brought a token and a finish_reason. A status of 200 says nothing, since it comes before
 * the first token; neither does [DONE], which vLLM sends after an error, too.
 */
export async function judgeChat(response: Dispatcher.ResponseData, asked: string): Promise<void> {
  const expected = 'a token that is not empty, and a finish_reason';
  const fail = (came: string, cause?: unknown) => new CheckFailure({ asked, expected, came }, { cause });
  if (response.statusCode !== 200) {
    const text = await response.body.text();
    throw fail(excerptOf({ status: response.statusCode, text }));
  }
  const decoder = new SseDecoder();
  let tokens = 0;
  let finishReason: string | undefined;
  let done = false;
  try {
    for await (const bytes of response.body) {
      for (const data of decoder.push(bytes)) {
        if (data === '[DONE]') {
          done = true;
          continue;
        }
        const event = readChatEvent(data);
        if (event.progress) tokens += 1;
        finishReason = event.finishReason ?? finishReason;
      }
    }
  } catch (cause) {
    throw fail(`after ${tokens} tokens: ${describe(cause)}`, cause);
  }
  if (tokens === 0) throw fail(`200, ${done ? '[DONE]' : 'an end'}, and no token`);
  if (finishReason === undefined) throw fail(`${tokens} tokens, ${done ? '[DONE]' : 'an end'}, and no finish_reason`);
}
