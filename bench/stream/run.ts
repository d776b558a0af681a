import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { migrate } from '../../src/rag/history/migrate.js';
import { HAS_POSTGRES, PostgresServer } from '../../test/support/postgres-server.js';
import { type Answered, ask, keepOpen, type Way } from './load.js';
import { type Command, type Script, TOKEN, type Usage } from './protocol.js';

// What the RAG API costs between a client and a model: time to the first token, throughput, processor time and memory,
// against asking the same scripted model directly. Both ways are measured in turn, so that what slows the machine slows
// both. The model, the API and the client are processes of this machine. It measures and judges nothing.

const KEY = 'the-key-of-the-benchmark';
const TURNS = 2;

/** Answers after which the compiler has seen what is hot. */
const WARM_UP = 1000;

/** Short answers on their way at once. */
const SIDE_BY_SIDE = 32;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    requests: { type: 'string', default: '10000' },
    streams: { type: 'string', default: '100,1000' },
    profile: { type: 'boolean', default: false },
  },
});

const agent = new Agent({ connections: null, keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 });
const children: ChildProcess[] = [];
const postgres = HAS_POSTGRES ? await PostgresServer.start() : undefined;
try {
  const kept = await preparedPostgres();
  const model = await start('model-server', []);
  const modelUrl = `http://127.0.0.1:${model.port}`;
  const api = await start(
    'api',
    [modelUrl, KEY, ...kept],
    values.profile ? ['--cpu-prof', '--cpu-prof-dir=/tmp/ragdock-bench'] : [],
  );
  const ways = { direct: direct(modelUrl), api: throughApi(`http://127.0.0.1:${api.port}`) };
  print(`history: ${postgres ? 'PostgreSQL (fsync off)' : 'PGlite'}; search: the embedded one, in memory`);

  await tell(model.child, { script: { firstMs: 0, intervalMs: 0, tokens: 20 } });
  for (const way of Object.values(ways)) await many(way, WARM_UP);
  for (const streams of values.streams.split(',').map(Number)) {
    // A token each 100 ms is a model that many share; its first one takes as long as a short queue.
    const script: Script = { firstMs: 50, intervalMs: 100, tokens: 40 };
    await tell(model.child, { script });
    await compare(streams, script, ways, api.child);
  }
  await memory(Number(values.requests), model.child, api.child, ways.api);
} finally {
  for (const child of children) child.disconnect();
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  await agent.destroy();
  await postgres?.remove();
}

async function compare(
  streams: number,
  script: Script,
  ways: Record<'direct' | 'api', Way>,
  api: ChildProcess,
): Promise<void> {
  const found: Record<'direct' | 'api', Answered[]> = { direct: [], api: [] };
  const total = (script.tokens * Buffer.byteLength(TOKEN)) as number;
  let [userUs, systemUs] = [0, 0];
  let tokens = 0;
  for (let turn = 0; turn < TURNS; turn += 1) {
    found.direct.push(...(await keepOpen(ways.direct, agent, streams, script, seconds())));
    const before = await usageOf(api, 'processor');
    const answered = await keepOpen({ ...ways.api, bytes: total }, agent, streams, script, seconds());
    const after = await usageOf(api, 'processor');
    userUs += after.userUs - before.userUs;
    systemUs += after.systemUs - before.systemUs;
    // Those of the beginning cost as much, and are not among the answered.
    tokens += (answered.length + streams) * script.tokens;
    found.api.push(...answered);
  }
  const of = (way: 'direct' | 'api', what: keyof Answered, share: number) =>
    quantile(
      found[way].map((one) => one[what]),
      share,
    );
  const added = (share: number) => of('api', 'firstMs', share) - of('direct', 'firstMs', share);
  const mean = (way: 'direct' | 'api') => found[way].reduce((sum, { totalMs }) => sum + totalMs, 0) / found[way].length;
  print(`${streams} streams, ${found.direct.length} answers directly and ${found.api.length} through the API`);
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const [plain, through] = [of('direct', 'firstMs', share), of('api', 'firstMs', share)];
    print(
      `  first token ${name}   ${plain.toFixed(1)} ms directly, ${through.toFixed(1)} ms through the API, ${added(share).toFixed(1)} ms added`,
    );
  }
  print(`  throughput        ${(mean('direct') / mean('api')).toFixed(3)} of the direct one`);
  const each = (us: number) => (us / tokens).toFixed(1);
  print(`  processor         ${each(userUs)} µs in the API for a token, and ${each(systemUs)} µs in the kernel`);
}

/** What stays in memory over many short answers. */
async function memory(requests: number, model: ChildProcess, api: ChildProcess, way: Way): Promise<void> {
  const script: Script = { firstMs: 0, intervalMs: 0, tokens: 20 };
  await tell(model, { script });
  const steps = 5;
  const before = await usageOf(api, 'processor');
  print(`${requests} answers, ${SIDE_BY_SIDE} at a time`);
  for (let step = 0; step <= steps; step += 1) {
    const { heapBytes, residentBytes } = await usageOf(api, 'memory');
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(6);
    print(
      `  after ${String((requests * step) / steps).padStart(6)}  ${megabytes(heapBytes)} MB of heap, ${megabytes(residentBytes)} MB resident`,
    );
    if (step < steps) await many(way, requests / steps);
  }
  const after = await usageOf(api, 'processor');
  const milliseconds = (after.userUs + after.systemUs - before.userUs - before.systemUs) / 1000 / requests;
  print(`  processor         ${milliseconds.toFixed(2)} ms of the API for an answer that comes at once`);
}

/** So many questions, some at a time. */
async function many(way: Way, requests: number): Promise<void> {
  let left = requests;
  const worker = async () => {
    for (; left > 0; left -= 1) await ask(way, agent);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
}

function direct(url: string): Way {
  const messages = [{ role: 'user', content: 'Что такое уравнение времени?' }];
  return {
    url: `${url}/v1/chat/completions`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bench', stream: true, messages }),
    marker: Buffer.from(TOKEN.trim()),
  };
}

function throughApi(url: string): Way {
  return {
    url: `${url}/process_message`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ message: 'Что такое уравнение времени?', user_name: 'bench', course: 'demo' }),
    marker: Buffer.from(TOKEN.trim()),
  };
}

async function preparedPostgres(): Promise<readonly string[]> {
  if (!postgres) return [];
  const client = await postgres.connect();
  await client.query('BEGIN');
  await migrate({ query: (text, parameters) => client.query(text, parameters) });
  await client.query('COMMIT');
  await client.end();
  return [postgres.url('postgres'), postgres.password];
}

/** Starts a process of this folder; it tells the port on which it listens. */
async function start(name: string, args: readonly string[], flags: readonly string[] = []) {
  const child = fork(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), [...args], {
    execArgv: ['--import', 'tsx', '--expose-gc', ...flags],
  });
  children.push(child);
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} ended before it listened`);
  });
  const [port] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return { child, port: Number(port) };
}

async function tell<T>(child: ChildProcess, command: Command): Promise<T> {
  const reply = once(child, 'message');
  child.send(command);
  const [message] = await reply;
  return message as T;
}

function usageOf(child: ChildProcess, usage: 'processor' | 'memory'): Promise<Usage> {
  return tell(child, { usage });
}

function quantile(values_: readonly number[], share: number): number {
  const sorted = [...values_].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function seconds(): number {
  return Number(values.seconds) * 1000;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
