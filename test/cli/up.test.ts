import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ROOT } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { closedPort, type Handler } from '../support/http-server.js';
import { answering, events, stalling, streaming } from '../support/openai-script.js';
import { until } from '../support/until.js';
import { modelServer, Up } from './support/up.js';

vi.setConfig({ testTimeout: 120_000 });

const QUESTION = 'Что такое уравнение времени?';

/** An answer that is on its way for a moment: the smoke tests want to see it come in more than one piece. */
const inTwoPieces = () =>
  streaming(events.role(), events.text('Это'), delay(50), events.text(' ответ.'), events.finish(), events.done());

/** The text as far as it has come. */
async function beginningOf(response: Response): Promise<string> {
  const read = await response.body?.getReader().read();
  return new TextDecoder().decode(read?.value);
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('once', () => {
  test('shows a question, its answer and its sources, and exits with 0; the next start finds the history', async () => {
    const folder = join(temporaryFolder(), 'data');
    const first = new Up(folder, '--once');
    expect(await first.ended(), first.stderr).toBe(0);
    expect(first.stdout).toContain(`${folder} (new)`);
    expect(first.stdout).toContain('course    sundials: 12 documents');
    expect(first.stdout).toContain('history   0 exchanges');
    expect(first.stdout).toMatch(/embedded answers: \d+ checks passed, 0 failed/);
    expect(first.stdout).toMatch(/› Почему .*\?\n.+:\n\n«.+» \[\d\]\n[\s\S]*\nSources:\n {2}1\. ru\/\S+\.md /);
    expect(first.stdout).not.toMatch(/FAILED|skipped/);
    expect(first.stderr).toBe('');

    const second = new Up(folder, '--once');
    expect(await second.ended(), second.stderr).toBe(0);
    // The question of the first start; what the smoke tests asked is gone.
    expect(second.stdout).toContain('history   1 exchange\n');
    expect(second.stdout).not.toContain('(new)');
  });

  test('exits with 1 when the model gives no answer, and says what failed', async () => {
    const model = await modelServer((_request, response) => void response.writeHead(500).end());
    const up = new Up(join(temporaryFolder(), 'data'), '--once', '--llm-url', model.url);
    expect(await up.ended()).toBe(1);
    expect(up.stdout).toMatch(/^FAILED +llm +streams an answer/m);
    expect(up.stderr).toMatch(/^(SMOKE_FAILED|API_REFUSED)$/m);
    expect(up.stderr).not.toMatch(/^ +at /m);
  });
});

describe('while it runs', () => {
  test('answers on one port: page, chat client, API, metrics; and only under the names of this machine', async () => {
    const up = await Up.ready(join(temporaryFolder(), 'data'));
    const get = (path: string) => fetch(`${up.url}${path}`);
    expect(await (await get('/')).text()).toContain('<!doctype html>');
    expect((await get('/socket.io.min.js')).headers.get('content-type')).toMatch(/javascript/);
    expect(await (await get('/config.json')).json()).toMatchObject({ courses: ['sundials'] });
    expect(await (await get('/readyz')).json()).toMatchObject({ ready: true });
    expect(await (await get('/metrics')).text()).toContain('rag_requests_total');
    expect((await get('/no-such-page')).status).toBe(404);

    const english = await up.ask('How high is the gnomon in Jaipur?');
    expect(english.headers.get('x-rag-sources')).not.toBe('0');
    expect(await english.text()).toContain('27 metres');
    const unknown = await up.ask('What is the capital of France?');
    expect(await unknown.text()).toMatch(/^The course material has no answer/);
    expect(await up.end('SIGINT')).toBe(130);
  });

  test('Ctrl-C in the middle of an answer keeps what was answered, and leaves nothing behind', async () => {
    const folder = join(temporaryFolder(), 'data');
    const chat: { handler: Handler } = { handler: answering('Разность', ' времён.') };
    const model = await modelServer((...args) => chat.handler(...args));
    const up = await Up.ready(folder, '--llm-url', model.url);

    const complete = await up.ask(QUESTION);
    const completeId = complete.headers.get('x-exchange-id') ?? '';
    expect(await complete.text()).toBe('Разность времён.');
    chat.handler = stalling(events.role(), events.text('Уравнение'));
    const broken = await up.ask(QUESTION);
    const brokenId = broken.headers.get('x-exchange-id') ?? '';
    expect(await beginningOf(broken)).toBe('Уравнение');

    expect(await up.end('SIGINT')).toBe(130);
    expect(up.stderr).not.toMatch(/^ +at |Error/m);
    expect(isAlive(up.pid)).toBe(false);
    expect(existsSync(join(folder, 'lock'))).toBe(false);

    chat.handler = answering('Да');
    const again = await Up.ready(folder, '--llm-url', model.url);
    expect(await again.exchange(completeId)).toMatchObject({ status: 'complete', answer: 'Разность времён.' });
    expect(await again.exchange(brokenId)).toMatchObject({ status: 'aborted', answer: 'Уравнение' });
  });

  test('Ctrl-C in the middle of its first question ends it, and what npm repeats of it does no harm', async () => {
    const folder = join(temporaryFolder(), 'data');
    const model = await modelServer((request, response) => {
      const isDemo = request.body.includes('Почему солнечные часы');
      return (isDemo ? stalling(events.role(), events.text('Потому')) : inTwoPieces())(request, response);
    });
    const up = new Up(folder, '--llm-url', model.url);
    await until('the answer has begun', () => up.stdout.includes('Потому'), 60_000);
    up.kill('SIGINT');
    expect(await up.end('SIGINT')).toBe(130);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    expect(up.stdout).not.toContain('FAILED');
    const begun = model.requests.at(-1);
    expect(await begun?.closed).toBe(true);
  });

  test('kill -9 in the middle of an answer loses nothing that was acknowledged', async () => {
    const folder = join(temporaryFolder(), 'data');
    const chat: { handler: Handler } = { handler: answering('Разность', ' времён.') };
    const model = await modelServer((...args) => chat.handler(...args));
    const up = await Up.ready(folder, '--llm-url', model.url);

    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const response = await up.ask(QUESTION);
      expect(await response.text()).toBe('Разность времён.');
      ids.push(response.headers.get('x-exchange-id') ?? '');
    }
    chat.handler = stalling(events.role(), events.text('Уравнение'));
    const broken = await up.ask(QUESTION);
    expect(await beginningOf(broken)).toBe('Уравнение');
    await up.end('SIGKILL');
    expect(existsSync(join(folder, 'lock'))).toBe(true);

    const again = await Up.ready(folder);
    for (const id of ids) {
      expect(await again.exchange(id)).toMatchObject({ status: 'complete', answer: 'Разность времён.' });
    }
    const id = broken.headers.get('x-exchange-id') ?? '';
    expect(await again.exchange(id)).toMatchObject({ status: 'aborted', question: QUESTION });
    expect(await again.end('SIGTERM')).toBe(143);
  });

  test('takes documents of the user beside the demo course, knows them at the next start, and keeps to its limits', async () => {
    const folder = join(temporaryFolder(), 'data');
    const documents = new URL('../deploy/documents/', import.meta.url).pathname;
    const up = await Up.ready(folder, '--docs', documents, '--course', 'notes');
    expect(up.stdout).toMatch(/^course +notes: \d+ documents?, \d+ passages$/m);
    expect(await up.end('SIGINT')).toBe(130);

    const again = await Up.ready(folder, '--message-characters', '100');
    expect(await (await fetch(`${again.url}/config.json`)).json()).toMatchObject({
      courses: ['sundials', 'notes'],
      messageCharacters: 100,
    });
    expect(again.stdout).toMatch(/embedded answers: \d+ checks passed, 0 failed/);
    const tooLong = await again.ask('Почему солнечные часы показывают другое время? '.repeat(3));
    expect(tooLong.status).toBe(422);
    expect(JSON.stringify(await tooLong.json())).toContain('longer than 100 characters');
  });

  test('tells of an answer that the model did not give, keeps the cause in its log, and goes on', async () => {
    const folder = join(temporaryFolder(), 'data');
    const chat: { handler: Handler } = { handler: answering('Да', '.') };
    const model = await modelServer((...args) => chat.handler(...args));
    const up = await Up.ready(folder, '--llm-url', model.url);
    chat.handler = (_request, response) => void response.writeHead(503).end('out of slots');
    expect((await up.ask(QUESTION)).status).toBe(503);
    await until('the terminal is told', () => up.stderr.includes('notice'));
    expect(up.stderr).not.toMatch(/^ +at /m);
    chat.handler = answering('Снова', ' здесь.');
    expect(await (await up.ask(QUESTION)).text()).toBe('Снова здесь.');
    const log = readFileSync(join(folder, 'ragdock.log'), 'utf8');
    expect(log).toContain('out of slots');
    expect(log).not.toContain(QUESTION);
  });
});

test('a document that cannot be taken is told, and keeps nobody from the others', async () => {
  const notes = temporaryFolder();
  writeFileSync(join(notes, 'empty.md'), '');
  writeFileSync(join(notes, 'gnomon.md'), '# Гномон\n\nГномон этих заметок сделан из меди.\n');
  copyFileSync(join(ROOT, 'test/documents/fixtures/lecture.pdf'), join(notes, 'lecture.pdf'));
  const folder = join(temporaryFolder(), 'data');
  const up = await Up.ready(folder, '--docs', notes, '--course', 'заметки');
  expect(up.stderr).toMatch(/^notice +not ingested: \S*empty\.md: holds no text$/m);
  expect(up.stdout).toMatch(/^course +заметки: 2 documents, 4 passages$/m);
  await up.end('SIGINT');
  const once = new Up(folder, '--once', '--docs', notes, '--course', 'заметки');
  expect(await once.ended()).toBe(1);
  expect(once.stderr).toContain('DOCUMENT_NO_TEXT');
  expect(once.stderr).not.toContain('INGEST_FAILED');
});

describe('is refused, with nothing started', () => {
  test('when another process uses the data folder: it is told which', async () => {
    const folder = join(temporaryFolder(), 'data');
    const first = await Up.ready(folder);
    const second = new Up(folder);
    expect(await second.ended()).toBe(2);
    expect(second.stderr).toContain('DATA_FOLDER_IN_USE');
    expect(second.stderr).toContain(`process ${first.pid} on `);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });

  test('when the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await until('the port is taken', () => server.listening);
    const { port } = server.address() as AddressInfo;
    const folder = join(temporaryFolder(), 'data');
    const up = new Up(folder, '--port', String(port));
    expect(await up.ended()).toBe(2);
    expect(up.stderr).toMatch(new RegExp(`^PORT_IN_USE {2}--port\\n +127\\.0\\.0\\.1:${port} is taken\\n`));
    expect(existsSync(join(folder, 'database'))).toBe(false);
  });

  test('when the model server cannot be reached', async () => {
    const folder = join(temporaryFolder(), 'data');
    const up = new Up(folder, '--llm-url', `http://127.0.0.1:${await closedPort()}/v1`);
    expect(await up.ended()).toBe(3);
    expect(up.stderr).toMatch(/^LLM_UNREACHABLE {2}--llm-url\n/);
    expect(existsSync(folder)).toBe(false);
  });

  test.each([
    [['--docs', 'docs'], '--docs and --course belong together'],
    [['--docs', 'docs', '--course', 'a/b'], 'no name of a course'],
    [['--llm-model', 'saiga'], 'need --llm-url'],
    [['--total-seconds', '0'], 'expected a whole number, 1 to 7200'],
    [['--message-characters', '20'], 'expected a whole number, 100 to 100000'],
  ])('with %j', async (args, message) => {
    const folder = join(temporaryFolder(), 'data');
    const up = new Up(folder, ...args);
    expect(await up.ended()).toBe(2);
    expect(up.stderr).toMatch(/^USAGE/);
    expect(up.stderr.replace(/\s+/g, ' ')).toContain(message);
    expect(existsSync(folder)).toBe(false);
  });
});
