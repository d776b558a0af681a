import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { FileCredential } from '../../../src/apps/secret-file.js';
import { FAILURES, type FailureCode } from '../../../src/apps/web-bot/failures.js';
import { question, startBot, Visitor, WAIT } from './harness.js';
import { begin, fail, KEY, type Script, ScriptedApi } from './scripted-api.js';

interface Fault {
  /** What the API does instead of answering. */
  readonly name: string;
  readonly script: Script;
  readonly code: FailureCode;
  /** The text that the reader got before. @default - not compared */
  readonly shown?: string;
  readonly limits?: Parameters<typeof startBot>[0];
}

const refusals: readonly Fault[] = (
  [
    [400, 'REQUEST_INVALID', 'api_rejected'],
    [401, 'UNAUTHORIZED', 'api_key_rejected'],
    [404, 'NOT_FOUND', 'api_mismatch'],
    [413, 'BODY_TOO_LARGE', 'message_too_long'],
    [422, 'INPUT_INVALID', 'api_rejected'],
    [422, 'QUESTION_TOO_LONG', 'message_too_long'],
    [429, 'RATE_LIMITED', 'rate_limited'],
    [500, 'INTERNAL', 'api_failed'],
    [502, 'LLM_FAILED', 'api_unavailable'],
    [503, 'LLM_UNAVAILABLE', 'api_unavailable'],
    [503, 'LLM_BUSY', 'api_overloaded'],
    [503, 'BUSY', 'api_overloaded'],
    [503, 'STOPPING', 'restarting'],
    [503, 'RETRIEVAL_UNAVAILABLE', 'knowledge_unavailable'],
    [504, 'LLM_TIMEOUT', 'api_timeout'],
  ] as const
).map(([status, apiCode, code]) => ({ name: `${status} ${apiCode}`, script: fail(status, apiCode), code, shown: '' }));

const FAULTS: readonly Fault[] = [
  ...refusals,
  {
    name: 'a redirect',
    script: (response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    },
    code: 'api_mismatch',
  },
  {
    name: '503 with a body that is not the JSON it claims to be',
    script: (response) => {
      response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{"code":');
    },
    code: 'api_unavailable',
  },
  {
    name: '200 with a page',
    script: (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome</p>');
    },
    code: 'api_mismatch',
    shown: '',
  },
  {
    name: '200 and nothing',
    script: (response) => {
      begin(response);
      response.end();
    },
    code: 'answer_empty',
  },
  {
    name: '200 and blanks',
    script: (response) => {
      begin(response);
      response.end(' \n');
    },
    code: 'answer_empty',
  },
  {
    name: 'a connection closed before the headers',
    script: (response) => {
      response.destroy();
    },
    code: 'api_unreachable',
  },
  {
    name: 'a connection closed inside the answer',
    script: (response) => {
      begin(response);
      // Destroyed once the bytes are out, so that it is the end of the answer that is missing.
      response.write('Половина', () => response.destroy());
    },
    code: 'answer_truncated',
    shown: 'Половина',
  },
  {
    name: 'silence before the headers',
    script: () => {},
    code: 'api_timeout',
    limits: { api: { headersMs: 200 } },
  },
  {
    name: 'silence inside the answer',
    script: (response) => {
      begin(response);
      response.write('Половина');
    },
    code: 'answer_stalled',
    shown: 'Половина',
    limits: { api: { idleMs: 200 } },
  },
  {
    name: 'an answer without end',
    script: (response) => {
      begin(response);
      Readable.from(forever()).pipe(response);
    },
    code: 'answer_too_long',
    limits: { api: { bodyBytes: 4096 } },
  },
  {
    name: 'an answer that drips',
    script: async (response) => {
      begin(response);
      const dripping = setInterval(() => response.write('а'), 10);
      await once(response, 'close');
      clearInterval(dripping);
    },
    code: 'answer_deadline',
    limits: { answerMs: 300 },
  },
];

function* forever(): Generator<string> {
  for (;;) yield 'а'.repeat(100);
}

describe('an API that fails', () => {
  test.each(FAULTS)('$name is $code', async ({ script, code, shown, limits }) => {
    const { api, url, logs } = await startBot(limits);
    const visitor = await Visitor.connect(url);
    api.script = script;
    const asked = question();
    const { receipt, finished, text } = await visitor.ask(asked);

    expect(receipt).toEqual({ ok: true });
    expect(finished).toMatchObject({
      ok: false,
      reason: FAILURES[code].reason,
      sources: null,
      text: FAILURES[code].text,
    });
    if (shown !== undefined) expect(text).toBe(shown);
    const typing = visitor.told.filter(({ event }) => event === 'typing').map(({ data }) => data);
    expect(typing).toEqual([true, false]);
    await vi.waitFor(() => expect(logs()).toContain(`"code":"${code}"`), WAIT);

    // It was one question's failure: the next one is answered.
    api.script = (response) => {
      begin(response);
      response.end('Ответ');
    };
    expect((await visitor.ask(question())).finished.ok).toBe(true);
  });
});

describe('an API that is not there', () => {
  test('fails the question, and is found when it comes', async () => {
    const reserved = await ScriptedApi.start();
    const { url: apiUrl } = reserved;
    await reserved.stop();
    const { url } = await startBot({}, { apiUrl });
    const visitor = await Visitor.connect(url);
    expect((await visitor.ask(question())).finished).toMatchObject({
      ok: false,
      reason: 'error',
      text: FAILURES.api_unreachable.text,
    });

    const api = await ScriptedApi.start(Number(new URL(apiUrl).port));
    const { finished } = await visitor.ask(question());
    await api.stop();
    expect(finished.ok).toBe(true);
  });
});

describe('the key', () => {
  const OLD = 'canary-key-of-last-week';

  test('is read again when the API refuses it, and the question is answered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'web-bot-key-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'api-key');
    await writeFile(`${path}.v1`, `${OLD}\n`);
    const { api, url } = await startBot({}, { key: await FileCredential.open(path) });
    const visitor = await Visitor.connect(url);
    const keysSent = () => api.asked.map(({ headers }) => headers.authorization);
    api.keys = [OLD, KEY];
    await writeFile(`${path}.v2`, KEY);
    expect((await visitor.ask(question())).finished.ok).toBe(true);
    expect(keysSent()).toEqual([`Bearer ${OLD}`]);

    api.keys = [KEY];
    expect((await visitor.ask(question())).finished.ok).toBe(true);
    expect((await visitor.ask(question())).finished.ok).toBe(true);
    expect(keysSent().slice(1)).toEqual([`Bearer ${OLD}`, `Bearer ${KEY}`, `Bearer ${KEY}`]);
  });

  test('that is refused and cannot be read again fails the question alone', async () => {
    const key = { current: () => OLD, refresh: () => Promise.reject(new Error('the folder is gone')) };
    const { api, url, logs } = await startBot({}, { key });
    const visitor = await Visitor.connect(url);
    expect((await visitor.ask(question())).finished).toMatchObject({ text: FAILURES.api_key_rejected.text });
    await vi.waitFor(() => expect(logs()).toContain('the folder is gone'), WAIT);
    api.keys = [OLD];
    expect((await visitor.ask(question())).finished.ok).toBe(true);
  });
});

test('the log has ids, codes and times, and no text, name or key', async () => {
  const { api, url, logs } = await startBot();
  const visitor = await Visitor.connect(url);
  const answers: Script[] = [
    (response) => {
      begin(response);
      response.end('canary-answer');
    },
    fail(503, 'LLM_UNAVAILABLE'),
    (response) => {
      begin(response);
      response.write('canary-answer', () => response.destroy());
    },
  ];
  for (const script of answers) {
    api.script = script;
    await visitor.ask(question());
  }
  await visitor.send(question({ course: 'canary-course' }));
  visitor.socket.emit('error' as 'send_message', 'canary-event');
  await visitor.send({ message: 'canary-malformed' });

  await vi.waitFor(() => expect(logs()).toContain('LLM_UNAVAILABLE'), WAIT);
  expect(logs()).toMatch(/"messageId":"question-\d+"/);
  expect(logs()).toContain('"totalMs":');
  expect(logs()).not.toContain('canary');
});
