import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answering, events, streaming } from '../support/openai-script.js';
import { KEY, RunningRagApi } from '../support/rag-api.js';
import { run } from '../support/run.js';

const INSTALLED = fileURLToPath(new URL('../host/openai-client', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./support/conversation.py', import.meta.url));
const QUESTIONS = ['Что такое RAG?', 'А зачем он?', 'Ты уверен? 😀'];

let api: RunningRagApi;
let python: string;

beforeAll(async () => {
  python = execFileSync(INSTALLED, { encoding: 'utf8' }).trim();
  api = await RunningRagApi.start();
});

afterAll(() => api?.stop());

test('OpenAI’s client for Python holds a streamed conversation of several turns', async () => {
  const whole = answering('Векторная', ' база 😀');
  const broken = streaming(events.text('Да'), events.error('broken'), events.done());
  api.script = (request, response) => (request.body.includes('BREAK OFF') ? broken : whole)(request, response);
  const { code, stdout, stderr } = await run([python, '-B', PROGRAM, `${api.url}/v1`, KEY, 'demo', ...QUESTIONS], {
    timeoutSeconds: 50,
  });
  expect(code, stderr).toBe(0);
  const turn = { text: 'Векторная база 😀', reasons: ['stop'], usage: 9 };
  expect(JSON.parse(stdout)).toEqual({
    models: ['demo', 'Машинное обучение'],
    turns: [turn, turn, turn],
    whole: 'Векторная база 😀',
    exchange: expect.stringMatching(/^[0-9a-f-]{36}$/),
    failures: [
      { kind: 'AuthenticationError', status: 401, code: 'invalid_api_key', param: null },
      { kind: 'NotFoundError', status: 404, code: 'model_not_found', param: null },
      { kind: 'UnprocessableEntityError', status: 422, code: 'input_invalid', param: 'messages' },
      // Never taken for a whole answer.
      { kind: 'APIError', code: 'llm_failed' },
    ],
  });
  const questions = [...api.history.exchanges.values()].map(({ question, userName }) => [question, userName]);
  expect(questions.slice(0, 3)).toEqual(QUESTIONS.map((question) => [question, 'Иван']));
});
