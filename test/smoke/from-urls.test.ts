import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { leftoversOf } from '../../src/apps/operator/leftovers.js';
import { RagdockError } from '../../src/errors/problem.js';
import { stackOf } from '../../src/operator/stack.js';
import { smokeUrls, type UrlRequest } from '../../src/smoke/from-urls.js';
import { startBot } from '../apps/web-bot/harness.js';
import { ragdock } from '../cli/terminal.js';
import { MINIMAL, project } from '../config/project.js';
import { devWith } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { json } from '../support/http-server.js';
import { events, openStream } from '../support/openai-script.js';
import { KEY, RunningRagApi, WEB_BOT_KEY } from '../support/rag-api.js';

/** Long enough for the pieces of an answer to travel apart, in milliseconds. */
const PACE_MS = 60;
const stack = stackOf(devWith());

let api: RunningRagApi;

beforeEach(async () => {
  api = await RunningRagApi.start();
  api.script = async (request, response) => {
    if (request.method === 'GET') return json(response, 200, { data: [{ id: 'saiga' }] });
    openStream(response);
    for (const piece of [events.text('Бе'), events.text('лый.'), events.finish(), events.usage(7, 2)]) {
      response.write(piece);
      await delay(PACE_MS);
    }
    response.end(events.done());
  };
});
afterEach(() => api.stop());

const keyFile = (value: string): string => {
  const file = join(temporaryFolder(), 'api.key');
  writeFileSync(file, `${value}\n`);
  return file;
};

async function smoke(urls: Readonly<Record<string, string>>, changes: Partial<UrlRequest> = {}, of = stack) {
  return smokeUrls(of, {
    urls: new Map(Object.entries(urls)),
    keyFiles: new Map([['rag-api', keyFile(KEY)]]),
    question: undefined,
    level: undefined,
    project: temporaryFolder(),
    timeoutSeconds: 30,
    signal: new AbortController().signal,
    onCheck: () => undefined,
    onWaiting: () => undefined,
    ...changes,
  });
}
const names = ({ checks }: Awaited<ReturnType<typeof smoke>>) =>
  checks.map(({ service, check, outcome }) => `${service}: ${check} ${outcome}`);

test('the named services are asked, by a question about what is there, and nothing is kept', async () => {
  const { url } = await startBot({}, { apiUrl: api.url, key: { current: () => WEB_BOT_KEY, refresh: async () => '' } });
  const report = await smoke({ 'rag-api': api.url, 'web-bot': url }, { question: 'Что такое RAG?' });

  expect(names(report).toSorted()).toEqual([
    'rag-api: forgets the questions passed',
    'rag-api: keeps the exchange with its source passed',
    'rag-api: ready passed',
    'rag-api: refuses a wrong key passed',
    'rag-api: streams an answer passed',
    'rag-api: takes its key passed',
    'web-bot: Socket.IO handshake passed',
    'web-bot: answers in the chat passed',
    'web-bot: ready passed',
  ]);
  expect(report).toMatchObject({ ok: true, level: 'path', environment: 'dev' });
  expect(api.history.exchanges.size).toBe(0);
});

test('without a question no more is asked than each service alone', async () => {
  const report = await smoke({ 'rag-api': api.url });
  expect(report).toMatchObject({ ok: true, level: 'service', notAsked: [{ what: 'path' }] });
  expect(api.model.requests.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('a wrong key is found out', async () => {
  const report = await smoke({ 'rag-api': api.url }, { keyFiles: new Map([['rag-api', keyFile('another-key')]]) });
  expect(names(report)[0]).toBe('rag-api: takes its key failed');
});

test('keys are those of the environment, where no file is given', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.ragdock/secrets/dev'), { recursive: true });
  writeFileSync(join(folder, '.ragdock/secrets/dev/rag-api-key.v1'), KEY);
  const report = await smoke({ 'rag-api': api.url }, { project: folder, keyFiles: new Map() });
  expect(names(report)).toContain('rag-api: takes its key passed');
});

describe('refused', () => {
  test('is a key that is not here, with what to do', async () => {
    expect(await problems(smoke({ 'rag-api': api.url }, { keyFiles: new Map() }))).toEqual([
      'USAGE --url: the key of rag-api is not on this machine',
    ]);
  });

  const problems = async (running: Promise<unknown>) => {
    const error = await running.catch((reason: unknown) => reason);
    if (!(error instanceof RagdockError)) throw error;
    return error.problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
  };

  test('are services that there are not, that are asked inside alone, and a level that takes others: all at once', async () => {
    const urls = { chat: 'https://chat.example', postgres: 'postgresql://db.example' };
    expect(await problems(smoke(urls, { level: 'path' }))).toEqual([
      "USAGE --url: dev has no service 'chat' that speaks a protocol of ours",
      'USAGE --url: postgres is asked as the API logs in to it, from inside of the stack',
      expect.stringContaining('USAGE --level: the path takes the RAG API, and a question'),
    ]);
  });

  test('is a document where no collection takes one, whatever else has an address', async () => {
    const theirs = stackOf(
      devWith((yaml) => {
        yaml.services.embeddings = { enabled: true, model: { name: 'BAAI/bge-m3' } };
        yaml.services.api.collections = { theirs: { layout: 'langchain', language: 'russian' } };
      }),
    );
    const urls = { 'rag-api': api.url, qdrant: 'http://127.0.0.1:1', embeddings: 'http://127.0.0.1:1' };
    expect(await problems(smoke(urls, { level: 'path' }, theirs))).toEqual([
      expect.stringContaining('no collection is one that a document can be brought into'),
    ]);
  });

  test.each([
    [['--key-file', 'rag-api=key'], '--key-file without --url'],
    [['--question', 'Что?', '--level', 'up'], '--question with --level up'],
    [['--url', 'rag-api'], 'expected SERVICE=VALUE'],
    [['--level', 'all'], 'up, service, path'],
  ])('is the command line %j', async (options, message) => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    await ragdock(['lock', 'dev'], { cwd });
    const { exit, stderr } = await ragdock(['smoke', 'dev', ...options], { cwd });
    expect(exit).toBe(2);
    expect(stderr).toContain(message);
  });
});

test('what a run by URL makes is not taken away under it, and is when it is a day old', () => {
  const isLeftover = leftoversOf({ run: '20261122t100000z-bbbbbb', liveRuns: [] });
  expect(isLeftover('20261122t090000z-aaaaaa-unseen')).toBe(false);
  expect(isLeftover('20261121t090000z-aaaaaa-unseen')).toBe(true);
});
