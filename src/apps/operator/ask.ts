import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { codeOf } from '../../rag/failure.js';
import { newest } from '../secret-file.js';
import { readVariables } from '../settings-file.js';
import { formatEvent, readLines } from './lines.js';

/** Variables of the session's container. */
export const OPERATOR_ASK_VARIABLES = { apiUrl: 'RAG_API_URL', apiKeyFile: 'API_KEY_FILE' } as const;

const CONNECT_TIMEOUT_MS = 5000;

/** Longest silence of the API, in milliseconds. Its own limits end an answer earlier unless they were raised. */
const IDLE_TIMEOUT_MS = 600_000;

const Question = z.object({ message: z.string(), user_name: z.string(), course: z.string() });
export type Question = z.output<typeof Question>;

const ProblemDocument = z.object({
  code: z.string(),
  title: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).default([]),
});

const Source = z.object({
  number: z.int(),
  source: z.string(),
  title: z.string(),
  heading: z.string(),
  score: z.number(),
  collection: z.string(),
  text: z.string(),
});
export type Source = z.output<typeof Source>;

/** One line of the output. `done` or `error` comes last. */
export type AskEvent =
  | {
      readonly event: 'accepted';
      /** Null when the exchange is not saved. */
      readonly exchangeId: string | null;
      readonly sources: number;
      readonly degraded: readonly string[];
    }
  | { readonly event: 'chunk'; readonly text: string }
  | { readonly event: 'done'; readonly sources: readonly Source[] }
  | { readonly event: 'error'; readonly status: number; readonly code: string; readonly detail: string };

export interface ApiAccess {
  readonly url: string;
  readonly key: string;
}

/**
 * Asks the RAG API one question and gives what comes back as it comes. Throws only what is a fault of ours.
 *
 * @param signal ends the question; what follows is an error event. @default - it takes the time that it takes
 */
export async function* ask(api: ApiAccess, question: Question, signal?: AbortSignal): AsyncGenerator<AskEvent> {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
  try {
    yield* exchange(api, question, agent, signal);
  } finally {
    await agent.destroy();
  }
}

/** The command `operator-ask`; gives its exit code. */
export async function operatorAsk(
  environment: NodeJS.ProcessEnv,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<0 | 1> {
  const variables = readVariables(environment, OPERATOR_ASK_VARIABLES, { apiUrl: 'http-url', apiKeyFile: 'path' });
  const question = await readQuestion(input);
  let last: AskEvent | undefined;
  if (question) {
    for await (last of ask({ url: variables.apiUrl, key: await newest(variables.apiKeyFile) }, question)) {
      write(formatEvent(last));
    }
  } else {
    last = failure(0, 'INPUT_INVALID', 'expected a line of JSON with "message", "user_name" and "course"');
    write(formatEvent(last));
  }
  return last?.event === 'done' ? 0 : 1;
}

async function* exchange(
  { url, key }: ApiAccess,
  question: Question,
  agent: Agent,
  signal: AbortSignal | undefined,
): AsyncGenerator<AskEvent> {
  const base = url.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${key}` };
  let response: Dispatcher.ResponseData;
  try {
    response = await request(`${base}/process_message`, {
      dispatcher: agent,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(question),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    yield failure(0, 'API_UNREACHABLE', `the RAG API cannot be reached: ${codeOf(error)}`);
    return;
  }
  if (response.statusCode !== 200) {
    yield await refusal(response);
    return;
  }
  const exchangeId = header(response, 'x-exchange-id') ?? null;
  yield {
    event: 'accepted',
    exchangeId,
    sources: Number(header(response, 'x-rag-sources') ?? 0),
    degraded: header(response, 'x-rag-degraded')?.split(', ') ?? [],
  };
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body) {
      const text = decoder.decode(bytes, { stream: true });
      if (text !== '') yield { event: 'chunk', text };
    }
  } catch (error) {
    yield failure(200, 'ANSWER_TRUNCATED', `the answer broke off: ${codeOf(error)}`);
    return;
  }
  if (exchangeId === null) {
    yield { event: 'done', sources: [] };
    return;
  }
  yield await savedSources(`${base}/exchanges/${exchangeId}`, headers, agent);
}

async function savedSources(url: string, headers: Record<string, string>, agent: Agent): Promise<AskEvent> {
  try {
    const response = await request(url, { dispatcher: agent, headers });
    if (response.statusCode !== 200) return await refusal(response);
    const { sources } = z.object({ sources: z.array(Source) }).parse(await response.body.json());
    return { event: 'done', sources };
  } catch (error) {
    return failure(
      200,
      'SOURCES_UNKNOWN',
      `the answer is complete, but its sources could not be read: ${codeOf(error)}`,
    );
  }
}

async function refusal(response: Dispatcher.ResponseData): Promise<AskEvent> {
  const text = await response.body.text();
  const problem = ProblemDocument.safeParse(parseJson(text));
  if (!problem.success) {
    return failure(
      response.statusCode,
      'API_REFUSED',
      `the RAG API answered ${response.statusCode}: ${text.slice(0, 200)}`,
    );
  }
  const { code, title, errors } = problem.data;
  const fields = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return failure(response.statusCode, code, fields === '' ? title : `${title}: ${fields}`);
}

async function readQuestion(input: AsyncIterable<Uint8Array>): Promise<Question | undefined> {
  const lines: string[] = [];
  for await (const line of readLines(input)) lines.push(line);
  const parsed = Question.safeParse(parseJson(lines.join('\n')));
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure(status: number, code: string, detail: string): AskEvent {
  return { event: 'error', status, code, detail };
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
