import OpenAI, { APIError, NotFoundError, RateLimitError, UnprocessableEntityError } from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completionSchema } from '../../../src/apps/rag-api/completion-schema.js';
import { json } from '../../support/http-server.js';
import { answering, events, stalling, streaming } from '../../support/openai-script.js';
import { KEY, RunningRagApi, ragApiSettings } from '../../support/rag-api.js';

type Message = OpenAI.ChatCompletionMessageParam;

let api: RunningRagApi;
let client: OpenAI;

beforeEach(() => start());
afterEach(() => api.stop());

async function start(...args: Parameters<typeof RunningRagApi.start>): Promise<void> {
  api = await RunningRagApi.start(...args);
  client = new OpenAI({ apiKey: KEY, baseURL: `${api.url}/v1`, maxRetries: 0 });
}

async function restart(...args: Parameters<typeof RunningRagApi.start>): Promise<void> {
  await api.stop();
  await start(...args);
}

const complete = (messages: Message[], more: object = {}) =>
  client.chat.completions.create({ model: 'demo', messages, ...more });
const user = (content: string): Message => ({ role: 'user', content });

describe('the client of OpenAI', () => {
  test('lists the courses as models', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(['demo', 'Машинное обучение']);
    expect(await client.models.retrieve('Машинное обучение')).toMatchObject({ id: 'Машинное обучение' });
    await expect(client.models.retrieve('gpt')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  test('gets an answer in one piece', async () => {
    api.script = answering('Векторная', ' база');
    const { data, response } = await complete([user('Что такое RAG?')], {
      user: 'Иван',
      temperature: 2,
    }).withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      id: `chatcmpl-${api.history.only.id}`,
      model: 'demo',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Векторная база' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-exchange-id': api.history.only.id,
      'x-rag-sources': '1',
      'x-request-id': expect.any(String),
      'x-content-type-options': 'nosniff',
    });
    expect(api.history.only).toMatchObject({ userName: 'Иван', course: 'demo', status: 'complete' });
    // The stack's own temperature, whatever was asked for.
    expect(JSON.parse(api.model.requests.at(-1)?.body ?? '')).toMatchObject({ temperature: 0.7 });
  });

  test('holds a streamed conversation of several turns', async () => {
    const messages: Message[] = [{ role: 'system', content: 'Отвечай стихами.' }];
    for (const [question, pieces] of [
      ['Что такое RAG?', ['Поиск', ' и ответ 😀']],
      ['А зачем он?', ['Чтобы', ' не выдумывать']],
      ['Ты уверен?', ['Да']],
    ] as const) {
      messages.push(user(question));
      api.script = answering(...pieces);
      const stream = await client.chat.completions.create({
        model: 'demo',
        messages,
        stream: true,
        stream_options: { include_usage: true },
      });
      const [reasons, usages]: [string[], (number | undefined)[]] = [[], []];
      let answer = '';
      for await (const { choices, usage } of stream) {
        answer += choices[0]?.delta.content ?? '';
        if (choices[0]?.finish_reason) reasons.push(choices[0].finish_reason);
        if (usage) usages.push(usage.completion_tokens);
      }
      expect([answer, reasons, usages]).toEqual([pieces.join(''), ['stop'], [pieces.length]]);
      messages.push({ role: 'assistant', content: answer });
    }
    expect([...api.history.exchanges.values()].map(({ question, userName }) => [question, userName])).toEqual([
      ['Что такое RAG?', 'anonymous'],
      ['А зачем он?', 'anonymous'],
      ['Ты уверен?', 'anonymous'],
    ]);
    // What the client says as the system is none of the model's business.
    expect(api.model.requests.some(({ body }) => body.includes('стихами'))).toBe(false);
  });

  test('may send all of a long conversation, in Russian, each time', async () => {
    const messages = Array.from({ length: 40 }, (_, index): Message[] => [
      user(`Вопрос ${index}?`),
      { role: 'assistant', content: `Ответ ${index}. ${'слово '.repeat(1500)}` },
    ]).flat();
    messages.push(user('Что такое RAG?'));
    expect(Buffer.byteLength(JSON.stringify(messages))).toBeGreaterThan(600_000);
    await complete(messages);
    expect(api.history.only).toMatchObject({ question: 'Что такое RAG?', status: 'complete' });

    const tooMuch = [user('я'.repeat(2 ** 19)), ...messages];
    await expect(complete(tooMuch)).rejects.toMatchObject({ status: 413, code: 'body_too_large' });
  });

  test('is asked with the newest of what was said, when that is more than is of use', () => {
    const schema = completionSchema(ragApiSettings());
    const said = (...sizes: number[]) =>
      schema.parse({
        model: 'demo',
        messages: [...sizes.map((size) => user('x'.repeat(size))), user('Что такое RAG?')],
      }).history;
    expect(said(1, 100_000, 31_072).map(({ content }) => content.length)).toEqual([100_000, 31_072]);
    expect(said(1, 131_073, 2).map(({ content }) => content.length)).toEqual([2]);
    expect(said(...Array.from({ length: 25 }, () => 3))).toHaveLength(20);
  });

  test('may have called tools before: what it said then is one answer, and the rest is left out', async () => {
    const call = { id: 'c1', type: 'function' as const, function: { name: 'weather', arguments: '{}' } };
    await complete(
      [
        user('Какая погода?'),
        { role: 'assistant', content: 'Смотрю.', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: 'дождь за окном' },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'дождь за окном' }] },
        { role: 'assistant', content: 'Дождь.' },
        user('А RAG?'),
      ],
      { user: null },
    );
    expect(api.history.only.userName).toBe('anonymous');
    const { messages } = JSON.parse(api.model.requests.at(-1)?.body ?? '') as { messages: Message[] };
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages.slice(1, 3).map(({ content }) => content)).toEqual(['Какая погода?', 'Смотрю.\n\nДождь.']);
    expect(JSON.stringify(messages)).not.toContain('за окном');
  });

  test.each([null, undefined])('asks nothing with the content %s', async (content) => {
    const question = { role: 'user', content } as unknown as Message;
    await expect(complete([question])).rejects.toMatchObject({ status: 422, param: 'messages.0.content' });
  });

  test('is given the refusal as an answer', async () => {
    api.retrieval.results = [{ collection: 'BD_curs_data', passages: [] }];
    const { choices, usage } = await complete([user('Что такое RAG?')]);
    expect(choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: expect.stringContaining('не нашлось') },
    });
    expect(usage?.total_tokens).toBe(0);
  });

  test('may send the question in parts', async () => {
    const parts = ['Что такое', 'RAG?'].map((text) => ({ type: 'text' as const, text }));
    await complete([{ role: 'user', content: parts }]);
    expect(api.history.only.question).toBe('Что такое\nRAG?');
  });
});

describe('an error', () => {
  test('of a key looks as the protocol has it', async () => {
    const stranger = new OpenAI({ apiKey: 'wrong', baseURL: `${api.url}/v1`, maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      type: 'authentication_error',
    });
  });

  test('of a model that is none', async () => {
    const error = await client.chat.completions.create({ model: 'gpt-4', messages: [user('a')] }).catch((e) => e);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' });
  });

  test('of the input names every field, and the first as param', async () => {
    const messages = [
      { role: 'narrator', content: 'x' },
      { role: 'assistant', content: '' },
    ] as unknown as Message[];
    const error = await complete(messages, { user: '' }).catch((e) => e);
    expect(error).toBeInstanceOf(UnprocessableEntityError);
    expect(error).toMatchObject({ param: 'messages.0.role', code: 'input_invalid' });
    expect(error.message).toContain('user is empty');
  });

  test.each([
    ['the last message is not the user’s', [{ role: 'assistant', content: 'a' }], 'messages.0.role'],
    ['the question is too long', [user('я'.repeat(4001))], 'messages.0.content'],
    [
      'there is an image',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }],
      'messages.0.content',
    ],
    [
      'there is an image beside the text',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image_url', image_url: { url: 'x' } },
          ],
        },
      ],
      'messages.0.content',
    ],
    ['a part lacks its text', [{ role: 'user', content: [{ type: 'text' }] }], 'messages.0.content.0.text'],
    ['there is nothing', [], 'messages'],
  ])('says that %s', async (_what, messages, param) => {
    await expect(complete(messages as Message[])).rejects.toMatchObject({ status: 422, param });
  });

  test('of a limit says when to come back', async () => {
    await restart({ limits: { questionsPerMinute: 1 } });
    await complete([user('a')]);
    const error = await complete([user('a')]).catch((e) => e);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.code).toBe('rate_limit_exceeded');
    expect(Number(error.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test.each([false, true])('of the model server is its own status, streamed or not: %s', async (stream) => {
    api.script = (_request, response) => json(response, 500, { error: { message: 'a secret' } });
    const error = await complete([user('a')], { stream }).catch((e) => e);
    expect(error).toMatchObject({ status: 502, code: 'llm_failed', type: 'server_error' });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  test('after the first character is an event, and never a clean end', async () => {
    api.script = streaming(events.text('Да'), events.error('broken'), events.done());
    const stream = await client.chat.completions.create({ model: 'demo', messages: [user('a')], stream: true });
    let text = '';
    const error = await (async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    })().catch((e) => e);
    expect(text).toBe('Да');
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ code: 'llm_failed' });

    const raw = await post({ stream: true });
    let body = '';
    const decoder = new TextDecoder();
    const cut = await (async () => {
      for await (const chunk of raw.body ?? []) body += decoder.decode(chunk as Uint8Array, { stream: true });
    })().catch((e) => e);
    expect(cut).toBeInstanceOf(Error);
    expect(body).toContain('"code":"llm_failed"');
    expect(body).not.toMatch(/\[DONE\]|"finish_reason":"/);
  });

  test('after the first character of an answer that is not streamed has its status', async () => {
    api.script = streaming(events.text('Да'), events.error('broken'), events.done());
    const response = await post({});
    expect(response.status).toBe(502);
    expect(response.headers.has('x-exchange-id')).toBe(false);
  });
});

test('what was said before the question is the conversation, without the system', () => {
  const asked = completionSchema(ragApiSettings()).parse({
    model: 'demo',
    messages: [
      { role: 'system', content: 'Отвечай стихами.' },
      { role: 'user', content: 'Что такое\u200b RAG?' },
      { role: 'assistant', content: '' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'А это?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
        ],
      },
      { role: 'user', content: [{ type: 'input_audio' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Поиск.' }] },
      { role: 'user', content: 'А зачем?' },
    ],
  });
  expect(asked).toMatchObject({ message: 'А зачем?', stream: false, includeUsage: false, userName: 'anonymous' });
  expect(asked.history).toEqual([
    { role: 'user', content: 'Что такое RAG?' },
    { role: 'user', content: 'А это?' },
    { role: 'assistant', content: 'Поиск.' },
  ]);
});

test('of a long conversation the last twenty messages are taken', () => {
  const turns = Array.from({ length: 1000 }, (_, index) => [
    { role: 'user', content: `вопрос ${index}` },
    { role: 'system', content: 'Отвечай стихами.' },
    { role: 'assistant', content: `ответ ${index}` },
  ]);
  const messages = [...turns.flat(), { role: 'user', content: 'А зачем?' }];
  const { history } = completionSchema(ragApiSettings()).parse({ model: 'demo', messages });
  expect(history).toHaveLength(20);
  expect(history[0]).toEqual({ role: 'user', content: 'вопрос 990' });
  expect(history.at(-1)).toEqual({ role: 'assistant', content: 'ответ 999' });
});

test('a client that leaves stops the model', async () => {
  api.script = stalling(events.text('Да'));
  const stream = await client.chat.completions.create({ model: 'demo', messages: [user('a')], stream: true });
  for await (const { choices } of stream) if (choices[0]?.delta.content) break;
  expect(await api.model.requests.at(-1)?.closed).toBe(true);
});

const post = (more: object) =>
  api.send('POST', '/v1/chat/completions', { model: 'demo', messages: [user('Что такое RAG?')], ...more });
