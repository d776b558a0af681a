import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RECORDED_MODEL, StandIn } from './vllm/harness/server.js';

async function ready(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<StandIn> {
  const server = await StandIn.ready(args, env);
  onTestFinished(() => void server.stop());
  return server;
}

const post = (server: StandIn, path: string, body: object, signal?: AbortSignal) =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: RECORDED_MODEL, ...body }),
    ...(signal ? { signal } : {}),
  });
const stream = (server: StandIn, prompt = 'a story', signal?: AbortSignal) =>
  post(server, '/v1/completions', { prompt, max_tokens: 20, stream: true }, signal);

async function gauge(server: StandIn, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^vllm:${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]);
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
}

const chunksOf = (text: string): readonly Chunk[] =>
  text.split('\n\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Chunk] : []));

describe('answers', () => {
  const PROMPT = [
    'Фрагменты находятся между двумя строками «x1».',
    'x1',
    '[1] kofe.md, Уход',
    'Кофемашину чистят по пятницам. Фильтр меняют раз в месяц.',
    '',
    '[2] kofe.md, Вода',
    'Воду меняют каждый день!',
    '',
    'x1',
    'Вопрос: Когда чистят кофемашину?',
  ].join('\n');

  test('quote the passages of the prompt, in several events', async () => {
    const server = await ready();
    const body = { messages: [{ role: 'user', content: PROMPT }], stream: true, max_tokens: 100 };
    const text = await (await post(server, '/v1/chat/completions', body)).text();
    const chunks = chunksOf(text);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'По фрагментам: «Кофемашину чистят по пятницам.» [1]. «Воду меняют каждый день!» [2].',
    );
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('end at max_tokens, and say so', async () => {
    const server = await ready();
    const body = { messages: [{ role: 'user', content: PROMPT }], max_tokens: 3 };
    const answer = await (await post(server, '/v1/chat/completions', body)).json();
    expect(answer).toMatchObject({
      choices: [{ message: { content: 'По фрагментам: «Кофемашину' }, finish_reason: 'length' }],
      usage: { completion_tokens: 3 },
    });
  });

  test('to the parameters of the services guide; max_model_len is nothing it knows', async () => {
    const server = await ready();
    const answer = await post(server, '/v1/completions', {
      prompt: 'Привет',
      max_model_len: 20000,
      temperature: 0.7,
      top_p: 0.9,
      presence_penalty: 0,
      frequency_penalty: 0,
      max_tokens: 1024,
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ object: 'text_completion', choices: [{ finish_reason: 'stop' }] });
  });
});

describe('the queue', () => {
  test('beyond --max-num-queued-reqs, running and waiting together, nobody is taken', async () => {
    const server = await ready(['--max-num-seqs', '1', '--max-num-queued-reqs', '2'], {
      VLLM_STAND_IN_TOKEN_SECONDS: '0.1',
    });
    const gone = new AbortController();
    await stream(server, 'one', gone.signal);
    await stream(server, 'two', gone.signal);
    await expect.poll(() => gauge(server, 'num_requests_running')).toBe(1);
    expect(await gauge(server, 'num_requests_waiting')).toBe(1);
    for (const refused of [await stream(server, 'three'), await post(server, '/v1/completions', { prompt: 'four' })]) {
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBeNull();
      expect(await refused.json()).toEqual({
        error: {
          message:
            'The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.',
          type: 'Service Unavailable',
          param: null,
          code: 503,
        },
      });
    }
    gone.abort();
    await expect.poll(() => gauge(server, 'num_requests_waiting')).toBe(0);
    expect((await stream(server)).status).toBe(200);
  });

  test('who waits is kept warm by --sse-keep-alive-interval', async () => {
    const server = await ready(['--max-num-seqs', '1', '--sse-keep-alive-interval', '1'], {
      VLLM_STAND_IN_TOKEN_SECONDS: '0.3',
    });
    const first = await stream(server, 'one');
    await expect.poll(() => gauge(server, 'num_requests_running')).toBe(1);
    const second = await stream(server, 'two');
    await first.text();
    expect(await second.text()).toMatch(/^(: keep-alive\n\n)+data: \{/);
  });
});

test('--root-path is in front of every path, and keys are asked for behind it', async () => {
  const server = await ready(['--root-path', '/llm', '--api-key', 'sekret']);
  expect((await fetch(`${server.url}/llm/v1/models`)).status).toBe(401);
  const authorized = { headers: { Authorization: 'Bearer sekret' } };
  expect((await fetch(`${server.url}/llm/v1/models`, authorized)).status).toBe(200);
  expect((await fetch(`${server.url}/llm/health`)).status).toBe(200);
  expect((await fetch(`${server.url}/llmx/health`)).status).toBe(404);
});

/** Whether the kernel keeps SIGTERM from a process: bit 15 of a mask whose bits begin with 1. */
function ignoresSigterm(pid: number | undefined): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << 14n)) !== 0n;
}

describe('SIGTERM', () => {
  test('while it loads is ignored', async () => {
    const server = await StandIn.start([], { VLLM_STAND_IN_LOAD_SECONDS: '4' });
    onTestFinished(() => void server.stop());
    // Before it has come as far as to ignore it, it ends; so did the real one.
    await expect.poll(() => ignoresSigterm(server.child.pid), { timeout: 20_000 }).toBe(true);
    server.child.kill('SIGTERM');
    const health = () =>
      fetch(`${server.url}/health`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(health, { timeout: 10_000 }).toBe(200);
  });

  test('without a shutdown timeout leaves open streams silent, and the process waits for their clients', async () => {
    const server = await ready([], { VLLM_STAND_IN_TOKEN_SECONDS: '0.2' });
    const gone = new AbortController();
    const answer = await stream(server, 'one', gone.signal);
    server.child.kill('SIGTERM');
    // The port closes, which tells that the engine is gone.
    await expect.poll(() => fetch(`${server.url}/health`).catch(() => 'refused'), { timeout: 5000 }).toBe('refused');
    const rest = answer.text().catch((error: Error) => error.name);
    expect(await Promise.race([rest, delay(1500, 'silent')])).toBe('silent');
    expect(server.child.exitCode).toBeNull();
    gone.abort();
    expect((await server.ended).code).toBe(0);
  });

  test('or ends them with an error and [DONE]', async () => {
    const server = await ready([], { VLLM_STAND_IN_TOKEN_SECONDS: '0.2', VLLM_STAND_IN_SIGTERM: 'error' });
    const answer = await stream(server, 'one');
    server.child.kill('SIGTERM');
    expect(await answer.text()).toMatch(/data: \{"error": ?\{.*"code": ?500\}\}\n\ndata: \[DONE\]\n\n$/s);
    expect((await server.ended).code).toBe(0);
  });

  test('with one that runs out ends what is left', async () => {
    const server = await ready(['--shutdown-timeout', '1'], { VLLM_STAND_IN_TOKEN_SECONDS: '1' });
    const answer = await stream(server, 'one');
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    await expect(answer.text()).rejects.toThrow();
  });
});
