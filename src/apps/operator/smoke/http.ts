import { Agent, type Dispatcher, request } from 'undici';
import { CheckFailure, describe, type Finding } from './check.js';

/** Longest body that is read, in bytes; the metrics of a busy host are a tenth of it. */
const LONGEST_BODY = 8 * 1024 * 1024;

/** Longest part of a body that a finding shows, in characters. */
const LONGEST_EXCERPT = 300;

/** A connection of its own for every request: what one of them left behind must not decide about the next. */
const agent = new Agent({ connect: { timeout: 5000 }, pipelining: 0, headersTimeout: 0, bodyTimeout: 0 });

export interface HttpQuestion {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  /** Method and URL, as findings name them. */
  readonly asked: string;
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
}

/** Ask, and read the whole answer. Throws a finding when there is no connection, or no end of the answer in time. */
export async function askHttp(question: HttpQuestion, expected: string): Promise<HttpReply> {
  const response = await openHttp(question, expected);
  const asked = nameOf(question);
  try {
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length > LONGEST_BODY) throw new Error(`more than ${LONGEST_BODY} bytes, and no end`);
    }
    return { asked, status: response.statusCode, headers: response.headers, text: text + decoder.decode() };
  } catch (cause) {
    throw unanswered({ asked, expected }, cause, `${response.statusCode}, and then `);
  }
}

/** Ask, and give the answer as it comes: for streams. */
export async function openHttp(question: HttpQuestion, expected: string): Promise<Dispatcher.ResponseData> {
  const { method = 'GET', url, headers = {}, body, signal } = question;
  try {
    return await request(url, {
      dispatcher: agent,
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
  } catch (cause) {
    throw unanswered({ asked: nameOf(question), expected }, cause);
  }
}

/** Let go of an answer that nobody reads to its end. */
export function dropBody({ body }: Dispatcher.ResponseData): void {
  // A body that is destroyed says so as an error, and without a listener that would end the process.
  body.on('error', () => undefined);
  body.destroy();
}

/** Throws a finding unless the status is the expected one. A refused key is final: waiting does not make it valid. */
export function expectStatus(reply: HttpReply, status: number, what = ''): void {
  if (reply.status === status) return;
  throw new CheckFailure(
    { asked: reply.asked, expected: `${status}${what === '' ? '' : `: ${what}`}`, came: excerptOf(reply) },
    { final: reply.status === 401 || reply.status === 403 },
  );
}

/** The body as JSON. Throws a finding when it is none. */
export function jsonOf<T>(reply: HttpReply, expected: string): T {
  try {
    return JSON.parse(reply.text) as T;
  } catch (cause) {
    throw new CheckFailure({ asked: reply.asked, expected, came: excerptOf(reply) }, { cause });
  }
}

/** Status and the beginning of the body. */
export function excerptOf({ status, text }: Pick<HttpReply, 'status' | 'text'>): string {
  const body = text.replace(/\s+/g, ' ').trim();
  return `${status} ${body.length > LONGEST_EXCERPT ? `${body.slice(0, LONGEST_EXCERPT)}…` : body}`.trim();
}

function nameOf({ method = 'GET', url }: HttpQuestion): string {
  return `${method} ${url}`;
}

function unanswered(finding: Omit<Finding, 'came'>, cause: unknown, before = ''): CheckFailure {
  return new CheckFailure({ ...finding, came: `${before}${describe(cause)}` }, { cause });
}
