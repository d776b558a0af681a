import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RECORDED_MODEL, StandIn } from './vllm/harness/server.js';

interface Exchange {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly request?: { readonly headers: Readonly<Record<string, string>>; readonly body: unknown };
  readonly status?: number;
  readonly response?: unknown;
}

const EXCHANGES = readFileSync(new URL('../recordings/vllm/all-exchanges.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Exchange);

/** Why an exchange is not repeated; undefined for one that is. */
function leftOut({ method, path, request, status, name, response }: Exchange): string | undefined {
  if (!request || status === undefined || path === undefined) return 'a measurement of processes, signals or queues';
  if (!['GET', 'POST'].includes(method ?? '')) return 'cross-origin requests';
  if (request.headers.Origin !== undefined) return 'cross-origin requests';
  if (path.startsWith('/llm/')) return 'a root path';
  if (JSON.stringify(request.body ?? '').includes('/models/') || JSON.stringify(response).includes('/models/nochat')) {
    return 'a model without a name or a chat template';
  }
  if (/^(config_yaml|env_key|no_served|alias_|empty_api|request_id_header|prompt_tokens_details)/.test(name))
    return 'a server that was configured otherwise';
  if (/^queue_full/.test(name)) return 'a measurement of processes, signals or queues';
  return undefined;
}

/** Without what differs from one answer of the real server to the next. */
function steady(text: string): string {
  return text.replace(/"(id|created|system_fingerprint)":\s*("[^"]*"|\d+)/g, '"$1":0');
}

const steadyJson = (value: unknown): unknown => JSON.parse(steady(JSON.stringify(value)));

describe('the stand-in answers as the recorded vLLM 0.32.0 did', () => {
  let open: StandIn;
  let guarded: StandIn;
  beforeAll(async () => {
    open = await StandIn.ready();
    guarded = await StandIn.ready([
      ...['--api-key', 'sekret1', 'sekret2', '--served-model-name', RECORDED_MODEL, 'alias-two'],
    ]);
  });
  afterAll(async () => {
    await Promise.all([open.stop(), guarded.stop()]);
  });

  test('status and body of every exchange', async () => {
    const counts = new Map<string, number>();
    const different: string[] = [];
    const count = (row: string) => counts.set(row, (counts.get(row) ?? 0) + 1);
    const asked = new Set<string>();
    for (const exchange of EXCHANGES) {
      const { name, method = '', path = '', request, status, response } = exchange;
      const why = leftOut(exchange);
      const question = JSON.stringify([method, path, request, name.startsWith('auth_')]);
      const again = asked.has(question);
      asked.add(question);
      if (why ?? (again && status === 200)) {
        count(`not applicable: ${why ?? 'asked before, and a model does not always say the same'}`);
        continue;
      }
      const headers = { ...request?.headers };
      const body = request?.body;
      const isBare = name === 'err_no_content_type' || name === 'err_wrong_content_type';
      const needsKey = name.startsWith('auth_') || name === 'models_two_names' || headers.Authorization !== undefined;
      const answer = await fetch(`${needsKey ? guarded.url : open.url}${path}`, {
        method,
        headers: {
          ...(headers.Authorization?.includes('yaml') || headers.Authorization?.includes('env')
            ? { Authorization: 'Bearer sekret1' }
            : headers),
          ...(method === 'POST' ? { 'Content-Type': isBare ? 'text/plain' : 'application/json' } : {}),
        },
        ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
      }).catch((error: unknown) => {
        throw new Error(`${name}: ${String(error)}`, { cause: error });
      });
      const text = await answer.text();
      const isJson = typeof response === 'object';
      const same =
        answer.status === status &&
        (isJson
          ? JSON.stringify(steadyJson(JSON.parse(text))) === JSON.stringify(steadyJson(response))
          : steady(text) === steady(String(response)));
      count(same ? 'equal' : 'different');
      if (!same) different.push(`${name}: ${answer.status} ${text.slice(0, 200)}`);
    }
    console.log([...counts].map(([row, number]) => `${String(number).padStart(5)}  ${row}`).join('\n'));
    expect(different).toEqual([]);
  });
});

describe('what no single exchange shows', () => {
  const ask = (server: StandIn, content: string, signal?: AbortSignal) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ model: RECORDED_MODEL, messages: [{ role: 'user', content }], stream: true }),
      ...(signal ? { signal } : {}),
    });

  test('the port is closed until it is ready', async () => {
    const server = await StandIn.start([], { VLLM_STAND_IN_LOAD_SECONDS: '1' });
    await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed');
    await server.stop();
  });

  test('a failure in the middle comes in the stream, and [DONE] follows', async () => {
    const server = await StandIn.ready();
    const text = await (await ask(server, 'now [stand-in: fail]')).text();
    expect(text).toMatch(/^data: .*\n\ndata: \{"error": ?\{.*"code": ?500\}\}\n\ndata: \[DONE\]\n\n$/s);
    expect(text).not.toContain('"finish_reason":"stop"');
    await server.stop();
  });

  test('a stream that goes silent counts as running until its client is gone; /health stays 200', async () => {
    const server = await StandIn.ready();
    const running = async () =>
      /^vllm:num_requests_running\{.*\} (\S+)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
    const gone = new AbortController();
    const answer = await ask(server, '[stand-in: silence]', gone.signal);
    expect(answer.status).toBe(200);
    await expect.poll(running).toBe('1.0');
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    gone.abort();
    await expect.poll(running, { timeout: 3000 }).toBe('0.0');
    await server.stop();
  });

  test('when the engine dies, it ends with exit code 0', async () => {
    const server = await StandIn.ready();
    await (await ask(server, '[stand-in: die]')).text();
    expect((await server.ended).code).toBe(0);
  });

  test('with an empty key everybody is let in', async () => {
    const server = await StandIn.ready([], { VLLM_API_KEY: '' });
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
    await server.stop();
  });

  test('on SIGTERM an open stream gets its time, and new requests are refused', async () => {
    const server = await StandIn.ready(['--shutdown-timeout', '20'], { VLLM_STAND_IN_TOKEN_SECONDS: '0.05' });
    const answer = await ask(server, 'something else');
    server.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await ask(server, 'one more')).status).toBe(500);
    expect(await answer.text()).toContain('data: [DONE]');
    expect((await server.ended).code).toBe(0);
  });
});
