import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { migrate } from '../../src/rag/history/migrate.js';
import { HAS_POSTGRES, PostgresServer } from '../../test/support/postgres-server.js';
import { type Answered, ask, burst, keepOpen, type Way } from './load.js';
import { Child, compile } from './processes.js';
import { type Script, TOKEN, type Usage } from './protocol.js';

// What the RAG API costs between a client and a model: time to the first token, throughput, processor time and memory,
// against asking the same scripted model directly, and through a server that does nothing. The ways are measured in turn,
// so that what slows the machine slows them all. All are processes of this machine. It measures and judges nothing.

const KEY = 'the-key-of-the-benchmark';
const COURSE = fileURLToPath(new URL('../../docs/demo-course/ru', import.meta.url));
const TURNS = 3;

/** Answers after which the compiler has seen what is hot. */
const WARM_UP = 1000;

/** Short answers on their way at once. */
const SIDE_BY_SIDE = 32;

/** Before the model's first token, in milliseconds: a short queue. */
const FIRST_MS = 50;

/** Length of a paced answer: so long at least, in seconds, and so many tokens at least. */
const ANSWER_SECONDS = 4;
const ANSWER_TOKENS = 40;

/** An answer that comes at once. */
const AT_ONCE: Script = { firstMs: 0, intervalMs: 0, tokens: 20 };

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    requests: { type: 'string', default: '10000' },
    // Streams at once, and the tokens a second that each of them is given.
    streams: { type: 'string', default: '100@20,1000@4' },
    burst: { type: 'string', default: '100' },
    profile: { type: 'boolean', default: false },
    // What node is given for the API, to try a setting out.
    flags: { type: 'string', default: '' },
  },
});

/** Ways to an answer: from the model itself, through a server that does nothing, and through the API. */
const WAYS = ['direct', 'bare', 'api'] as const;
type WayName = (typeof WAYS)[number];
type Ways = Readonly<Record<WayName, Way>>;

/** Those with a process of their own between. */
type Server = Exclude<WayName, 'direct'>;

const SHOWN: Readonly<Record<WayName, string>> = {
  direct: 'directly',
  bare: 'through a server that does nothing',
  api: 'through the API',
};

const agent = new Agent({ connections: null, keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 });
const children: Child[] = [];
const postgres = HAS_POSTGRES ? await PostgresServer.start() : undefined;
try {
  await compile(['model-server', 'bare', 'api']);
  const model = await Child.start('model-server', []);
  children.push(model);
  const modelUrl = `http://127.0.0.1:${model.port}`;
  const bare = await Child.start('bare', [modelUrl]);
  children.push(bare);
  const api = await Child.start(
    'api',
    [modelUrl, KEY, COURSE, ...(await preparedPostgres())],
    [
      ...values.flags.split(' ').filter(Boolean),
      ...(values.profile ? ['--cpu-prof', '--cpu-prof-dir=/tmp/ragdock-bench'] : []),
    ],
  );
  children.push(api);
  const ways = {
    direct: direct(modelUrl),
    bare: direct(`http://127.0.0.1:${bare.port}`),
    api: throughApi(`http://127.0.0.1:${api.port}`),
  };
  print(`history: ${postgres ? 'PostgreSQL (fsync off)' : 'PGlite'}; search: the embedded one, in memory`);

  await model.answerBy(AT_ONCE);
  for (const way of Object.values(ways)) await many(way, WARM_UP);
  const answerUs = {
    bare: await atOnce(WARM_UP, bare, ways.bare, 'bare'),
    api: await atOnce(Number(values.requests), api, ways.api, 'api'),
  };
  for (const load of values.streams.split(',').filter(Boolean)) {
    const [streams = 0, rate = 20] = load.split('@').map(Number);
    const script = {
      firstMs: FIRST_MS,
      intervalMs: 1000 / rate,
      tokens: Math.max(ANSWER_TOKENS, ANSWER_SECONDS * rate),
    };
    await model.answerBy(script);
    await compare(streams, script, ways, { bare, api }, answerUs);
  }
  await model.answerBy({ ...AT_ONCE, firstMs: FIRST_MS });
  await compareBursts(Number(values.burst), ways);
} finally {
  await Promise.all(children.map((child) => child.stop()));
  await agent.destroy();
  await postgres?.remove();
}

/** @param answerUs what an answer costs whose tokens come at once, in microseconds */
async function compare(
  streams: number,
  script: Script,
  ways: Ways,
  servers: Readonly<Record<Server, Child>>,
  answerUs: Readonly<Record<Server, number>>,
): Promise<void> {
  const { intervalMs, tokens } = script;
  const found = none<Answered>();
  const used = none<Usage>();
  const received = { direct: 0, bare: 0, api: 0 };
  const ms = Number(values.seconds) * 1000;
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const way of WAYS) {
      const asked = way === 'api' ? { ...ways.api, bytes: tokens * Buffer.byteLength(TOKEN) } : ways[way];
      const { answered, bytes, broken } = await keepOpen(asked, agent, streams, script, ms, async () => {
        if (way !== 'direct') used[way].push(await servers[way].usage('processor'));
      });
      if (broken > 0) print(`  ${broken} answers broke off ${SHOWN[way]}`);
      found[way].push(...answered);
      received[way] += bytes / ((answered[0]?.bytes ?? Number.NaN) / tokens);
    }
  }
  print(`${streams} streams of ${1000 / intervalMs} tokens a second: ${answers(found)}`);
  printFirst(found);
  const mean = (way: WayName) => found[way].reduce((sum, { totalMs }) => sum + totalMs, 0) / found[way].length;
  for (const way of ['bare', 'api'] as const) {
    const rate = (one: WayName) => ((received[one] / ms / TURNS) * 1000).toFixed(0);
    print(
      `  throughput        ${(mean('direct') / mean(way)).toFixed(3)} ${SHOWN[way]} by the length of answers; ` +
        `${rate(way)} tokens a second of ${rate('direct')}, ${(received[way] / received.direct).toFixed(3)}`,
    );
  }
  for (const way of ['bare', 'api'] as const) {
    const spent = (part: 'userUs' | 'systemUs') =>
      used[way].reduce((sum, one, index) => sum + (index % 2 === 1 ? one[part] : -one[part]), 0);
    const [user, system] = [spent('userUs'), spent('systemUs')];
    const each = (us: number) => (us / received[way]).toFixed(1);
    print(
      `  processor         ${each(user + system)} µs for a token ${SHOWN[way]}: ${each(user)} in its own code, ` +
        `${each(system)} in the kernel; ${each(user + system - found[way].length * answerUs[way])} µs without what an answer costs`,
    );
  }
}

/** Everybody asks in the same moment: what is measured is a queue of as much work. */
async function compareBursts(streams: number, ways: Ways): Promise<void> {
  const found = none<Answered>();
  for (let turn = 0; turn < TURNS * 2; turn += 1) {
    for (const way of WAYS) found[way].push(...(await burst(ways[way], agent, streams)));
  }
  print(`${streams} questions in the same moment: ${answers(found)}`);
  printFirst(found);
}

/** What an answer that comes at once costs in microseconds, and what stays in memory over many of them. */
async function atOnce(requests: number, server: Child, way: Way, name: Server): Promise<number> {
  const steps = 5;
  print(`${requests} answers that come at once, ${SIDE_BY_SIDE} at a time, ${SHOWN[name]}`);
  let us = 0;
  for (let step = 0; step <= steps; step += 1) {
    const { heapBytes, residentBytes } = await server.usage('memory');
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(6);
    print(
      `  after ${String((requests * step) / steps).padStart(6)}      ${megabytes(heapBytes)} MB of heap, ${megabytes(residentBytes)} MB resident`,
    );
    if (step === steps) break;
    const before = await server.usage('processor');
    await many(way, requests / steps);
    const after = await server.usage('processor');
    us += after.userUs + after.systemUs - before.userUs - before.systemUs;
  }
  print(`  processor         ${(us / 1000 / requests).toFixed(2)} ms for an answer`);
  return us / requests;
}

/** So many questions, some at a time. */
async function many(way: Way, requests: number): Promise<void> {
  let left = requests;
  const worker = async () => {
    for (; left > 0; left -= 1) await ask(way, agent);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
}

function direct(origin: string): Way {
  const messages = [{ role: 'user', content: 'Что такое уравнение времени?' }];
  return {
    origin,
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bench', stream: true, messages }),
    marker: Buffer.from(TOKEN.trim()),
  };
}

function throughApi(origin: string): Way {
  return {
    origin,
    path: '/process_message',
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

function none<T>(): Record<WayName, T[]> {
  return { direct: [], bare: [], api: [] };
}

function answers(found: Readonly<Record<WayName, readonly Answered[]>>): string {
  return WAYS.map((way) => `${found[way].length} answers ${SHOWN[way]}`).join(', ');
}

function printFirst(found: Readonly<Record<WayName, readonly Answered[]>>): void {
  for (const percent of [50, 99]) {
    const of = (way: WayName) =>
      quantile(
        found[way].map(({ firstMs }) => firstMs),
        percent / 100,
      );
    const added = (way: WayName) => `${(of(way) - of('direct')).toFixed(1)} ms added ${SHOWN[way]}`;
    print(`  first token p${percent}   ${of('direct').toFixed(1)} ms directly, ${added('bare')}, ${added('api')}`);
  }
}

function quantile(values_: readonly number[], share: number): number {
  const sorted = [...values_].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
