import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLines } from '../../src/apps/operator/lines.js';
import { ragdock } from '../cli/terminal.js';
import { changed, MINIMAL, project, put } from '../config/project.js';
import { finding } from '../smoke/support/session.js';
import { ROOT } from '../support/environments.js';
import { becomes } from './support/deployed-engine.js';
import { deployedProject, says } from './support/deployed-project.js';
import { modelFolder } from './support/model-folder.js';
import { type Program, textOf } from './support/scripted-engine.js';
import { VolumeEngine } from './support/volume-engine.js';

const SOURCE = {
  number: 1,
  source: 'lecture.md',
  title: 'Лекция',
  heading: 'Лекция > Введение',
  score: 12.345,
  collection: 'BD_curs_data',
  text: 'Текст.',
};
const ACCEPTED = { event: 'accepted', exchangeId: 'e1', sources: 1, degraded: [] };
const DONE = { event: 'done', sources: [SOURCE] };

describe('ragdock ask', () => {
  const ask = (cwd: string, ...options: string[]) =>
    ragdock(['ask', 'Что такое RAG?', '--env', 'dev', ...options], { cwd });

  test('writes the answer to stdout and its sources to stderr', async () => {
    const { cwd, engine } = await deployedProject(
      says(ACCEPTED, { event: 'chunk', text: 'Векторная' }, { event: 'chunk', text: ' база.\u001b[2J' }, DONE),
    );
    const { exit, stdout, stderr } = await ask(cwd);

    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'Векторная база.[2J\n' });
    expect(stderr).toBe('\nSources:\n  1. lecture.md (BD_curs_data, 12.35)  Лекция > Введение\n');
    expect(engine.containers.size).toBe(0);
  });

  test('sends the question, the course and the user to the session, and the key to nobody', async () => {
    let input = '';
    let environment: readonly string[] = [];
    const { cwd } = await deployedProject(async ({ stdin, stdout, options }) => {
      input = await textOf(stdin);
      environment = options.Env ?? [];
      stdout(`${JSON.stringify(DONE)}\n`);
      return 0;
    });
    await ask(cwd, '--user', 'Ольга');

    expect(JSON.parse(input)).toEqual({ message: 'Что такое RAG?', user_name: 'Ольга', course: 'demo' });
    expect(environment).toContain('RAG_API_URL=http://dev-rag-api:8000');
    expect(environment).toContain('API_KEY_FILE=/run/secrets/rag-api/rag-api-key');
  });

  test('gives the events as they are with --json', async () => {
    const { cwd } = await deployedProject(says(ACCEPTED, { event: 'chunk', text: 'да' }, DONE));
    const { stdout, stderr } = await ask(cwd, '--json');

    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([ACCEPTED, { event: 'chunk', text: 'да' }, DONE]);
    expect(stderr).toBe('');
  });

  test('says what an answer had to do without', async () => {
    const { cwd } = await deployedProject(says({ ...ACCEPTED, degraded: ['history'] }, { event: 'done', sources: [] }));

    expect((await ask(cwd)).stderr).toBe('answered without: history\n\nNo sources.\n');
  });

  test.each([
    [
      { status: 503, code: 'LLM_BUSY', detail: 'The model server takes no more requests' },
      1,
      'API_REFUSED',
      '503 LLM_BUSY',
    ],
    [{ status: 0, code: 'API_UNREACHABLE', detail: 'ECONNREFUSED' }, 3, 'SESSION_FAILED', 'API_UNREACHABLE'],
    [
      { status: 200, code: 'ANSWER_TRUNCATED', detail: 'the answer broke off' },
      1,
      'API_REFUSED',
      'the answer broke off',
    ],
  ])('ends with the API’s code: %j', async (error, exit, code, message) => {
    const { cwd } = await deployedProject(says({ event: 'error', ...error }));
    const outcome = await ask(cwd);

    expect(outcome.exit).toBe(exit);
    expect(outcome.stderr).toContain(code);
    expect(outcome.stderr).toContain(message);
  });

  test('does not take a session that ended for an answer', async () => {
    const { cwd } = await deployedProject(({ stderr }) => {
      stderr('operator-ask failed: there is no version of this secret');
      return 1;
    });
    const { exit, stderr } = await ask(cwd);

    expect(exit).toBe(3);
    expect(stderr).toContain('there is no version of this secret');
  });

  test('knows the courses, and means well', async () => {
    const { cwd, engine } = await deployedProject(says(DONE));
    const { exit, stderr } = await ask(cwd, '--course', 'demos');

    expect(exit).toBe(2);
    expect(stderr).toContain("dev has no course 'demos'; did you mean 'demo'?");
    expect(stderr).toContain('Known are: demo.');
    expect(engine.requests).toEqual([]);
  });

  test('names what is not deployed', async () => {
    const { cwd, engine } = await deployedProject(says(DONE));
    becomes(engine, 'dev-rag-api', { Status: 'exited' });
    const { exit, stderr } = await ask(cwd);

    expect(exit).toBe(3);
    expect(stderr).toContain('container dev-rag-api (it is there, but exited)');
  });

  test('ends with 130 when it is interrupted, and leaves nothing behind', async () => {
    const interrupt = new AbortController();
    const { cwd, engine } = await deployedProject(async ({ stdout }) => {
      stdout(`${JSON.stringify({ event: 'chunk', text: 'Векторная' })}\n`);
      interrupt.abort();
      return new Promise(() => undefined);
    });
    const { exit } = await ragdock(['ask', 'Что?', '--env', 'dev'], { cwd, signal: interrupt.signal });

    expect(exit).toBe(130);
    expect(engine.containers.size).toBe(0);
  });

  test('says which engine it cannot reach', async () => {
    const { cwd } = await deployedProject(says(DONE));
    put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: unix:///nowhere/docker.sock\n`);
    const { exit, stderr } = await ask(cwd);

    expect(exit).toBe(3);
    expect(stderr).toContain('ENGINE_UNREACHABLE  host.docker');
    expect(stderr).toContain('unix:///nowhere/docker.sock');
  });
});

describe('ragdock ingest', () => {
  const ingest = (cwd: string, ...options: string[]) =>
    ragdock(['ingest', 'docs', '--collection', 'BD_curs_data', '--env', 'dev', ...options], { cwd });

  /** A session that takes every document, but for those whose name says that they are bad. */
  const taking: Program = async ({ stdin, stdout }) => {
    for await (const line of readLines(stdin)) {
      const { path, content } = JSON.parse(line) as { path: string; content: string };
      const failed = path.includes('bad');
      stdout(
        `${JSON.stringify({
          event: 'document',
          path,
          chunks: content.length,
          status: failed ? 'failed' : 'new',
          ...(failed ? { error: 'the document holds no text' } : {}),
        })}\n`,
      );
    }
    stdout(`${JSON.stringify({ event: 'done', new: 2, updated: 0, unchanged: 0, failed: 0, chunks: 2 })}\n`);
    return 0;
  };

  test('sends every document with its path, and tells what became of it', async () => {
    const { cwd } = await deployedProject(taking);
    put(cwd, 'docs/a.md', 'А');
    put(cwd, 'docs/deep/b.txt', 'БВ');
    const { exit, stdout, stderr } = await ingest(cwd);

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'new           1 passages  docs/a.md',
        'new           2 passages  docs/deep/b.txt',
        '2 documents: 2 new, 0 updated, 0 unchanged, 0 failed; 3 passages',
        '  markdown: 1 new',
        '  text: 1 new',
        '',
      ].join('\n'),
    );
  });

  test('gives data with --json, and a document that failed ends with 1', async () => {
    const { cwd } = await deployedProject(taking);
    put(cwd, 'docs/bad.md', 'А');
    const { exit, stdout, stderr } = await ingest(cwd, '--json');

    expect(exit).toBe(1);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { event: 'document', path: 'docs/bad.md', status: 'failed' },
      { event: 'done', new: 0, failed: 1 },
    ]);
    expect(stderr).toContain('INGEST_FAILED  docs/bad.md\n    the document holds no text');
  });

  test('reads every format, and goes on after a file that it cannot read', async () => {
    const sent: { readonly path: string; readonly content?: string; readonly parsed?: { readonly title: string } }[] =
      [];
    const { cwd } = await deployedProject(async ({ stdin, stdout }) => {
      for await (const line of readLines(stdin)) {
        sent.push(JSON.parse(line));
        const { path } = JSON.parse(line) as { path: string };
        stdout(`${JSON.stringify({ event: 'progress', passages: 2 })}\n`);
        stdout(`${JSON.stringify({ event: 'document', path, chunks: 2, status: 'new' })}\n`);
      }
      stdout(`${JSON.stringify({ event: 'done', new: 4, updated: 0, unchanged: 0, failed: 0, chunks: 8 })}\n`);
      return 0;
    });
    put(cwd, 'docs/a.md', '\uFEFFА');
    put(cwd, 'docs/faq.jsonl', '{"question":"Что?","answer":"То."}\nнет\n{"question":"","answer":"x"}\n');
    put(cwd, 'docs/lecture.docx', readFileSync(join(ROOT, 'test/documents/fixtures/lecture.docx')));
    put(cwd, 'docs/lecture.pdf', readFileSync(join(ROOT, 'test/documents/fixtures/lecture.pdf')));
    put(
      cwd,
      'docs/old.txt',
      Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x2c, 0x20, 0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
    );
    put(cwd, 'docs/scanned.pdf', readFileSync(join(ROOT, 'test/documents/fixtures/scanned.pdf')));
    const { exit, stdout, stderr } = await ingest(cwd);

    expect(exit).toBe(1);
    expect(sent.map(({ path, content, parsed }) => [path, content ?? parsed?.title])).toEqual([
      ['docs/a.md', 'А'],
      ['docs/faq.jsonl', 'faq'],
      ['docs/lecture.docx', 'Солнечные часы'],
      ['docs/lecture.pdf', 'Лекция о солнечных часах'],
    ]);
    expect(stdout).toContain('failed        0 passages  docs/scanned.pdf');
    expect(stdout).toContain('new           2 passages  docs/faq.jsonl');
    expect(stdout).toContain(
      [
        '6 documents: 4 new, 0 updated, 0 unchanged, 2 failed; 8 passages',
        '  docx: 1 new',
        '  markdown: 1 new',
        '  pairs: 1 new',
        '  pdf: 1 new, 1 failed',
        '  text: 1 failed',
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('DOCUMENT_LINE  docs/faq.jsonl:2\n    is not JSON');
    expect(stderr).toContain('DOCUMENT_LINE  docs/faq.jsonl:3\n    expected {"question"');
    expect(stderr).toContain(
      'DOCUMENT_ENCODING  docs/old.txt\n    is not UTF-8; it may be windows-1251\n    → Look at what `iconv',
    );
    expect(stderr).toContain('DOCUMENT_NO_TEXT  docs/scanned.pdf');
    expect(stderr).toContain('4 problems');
  });

  test('says of an emptied file that what it held before is gone, and names the fault once', async () => {
    const sent: string[] = [];
    const { cwd } = await deployedProject(async ({ stdin, stdout }) => {
      for await (const line of readLines(stdin)) {
        const { path } = JSON.parse(line) as { path: string };
        sent.push(path);
        const report = { path, chunks: 0, status: 'failed', error: 'the document holds no text', removed: 3 };
        stdout(`${JSON.stringify({ event: 'document', ...report })}\n`);
      }
      stdout(`${JSON.stringify({ event: 'done', new: 0, updated: 0, unchanged: 0, failed: 1, chunks: 0 })}\n`);
      return 1;
    });
    put(cwd, 'docs/a.md', '\n');
    const { exit, stdout, stderr } = await ingest(cwd);

    expect(sent).toEqual(['docs/a.md']);
    expect(exit).toBe(1);
    expect(stdout).toContain('note: what it held before was removed: 3 passages');
    expect(stderr).toContain('DOCUMENT_NO_TEXT  docs/a.md');
    expect(stderr).not.toContain('INGEST_FAILED');
  });

  test('has the problems with their remedies in the data of --json', async () => {
    const { cwd } = await deployedProject(taking);
    put(cwd, 'docs/a.md', 'А');
    put(cwd, 'docs/b.pdf', 'rubbish');
    const { exit, stdout } = await ingest(cwd, '--json');

    expect(exit).toBe(1);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.slice(0, 2).sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { event: 'document', path: 'docs/a.md', format: 'markdown', status: 'new', chunks: 1 },
      {
        event: 'document',
        path: 'docs/b.pdf',
        format: 'pdf',
        status: 'failed',
        chunks: 0,
        error: expect.stringContaining('is no whole PDF'),
        problems: [
          {
            code: 'DOCUMENT_DAMAGED',
            file: 'docs/b.pdf',
            message: expect.stringContaining('is no whole PDF'),
            remedy: expect.stringContaining('save it again'),
          },
        ],
      },
    ]);
    expect(events[2]).toEqual({
      event: 'done',
      ...{ new: 1, updated: 0, unchanged: 0, failed: 1, chunks: 1 },
      formats: {
        markdown: { new: 1, updated: 0, unchanged: 0, failed: 0 },
        pdf: { new: 0, updated: 0, unchanged: 0, failed: 1 },
      },
    });
  });

  test('does not take silence for success', async () => {
    const { cwd } = await deployedProject(async ({ stdin, stdout }) => {
      await textOf(stdin);
      stdout(`${JSON.stringify({ event: 'error', detail: 'there is no collection BD_curs_data' })}\n`);
      return 1;
    });
    put(cwd, 'docs/a.md', 'А');
    const { exit, stderr } = await ingest(cwd);

    expect(exit).toBe(3);
    expect(stderr).toContain('there is no collection BD_curs_data; 0 of 1 documents were reported on');
  });

  test('knows the collections', async () => {
    const { cwd } = await deployedProject(taking);
    put(cwd, 'docs/a.md', 'А');
    const { exit, stderr } = await ragdock(['ingest', 'docs', '--collection', 'BD_kurs_data', '--env', 'dev'], { cwd });

    expect(exit).toBe(2);
    expect(stderr).toContain("did you mean 'BD_curs_data'?");
  });
});

describe('ragdock model import', () => {
  const importing = (cwd: string, file: string, ...options: string[]) =>
    ragdock(['model', 'import', file, '--env', 'dev', ...options], { cwd });

  test('refuses a file that is not the one of the environment, before the engine is asked', async () => {
    const cwd = project({ 'dev.yaml': `${MINIMAL}host:\n  docker: unix:///nowhere/docker.sock\n` });
    writeFileSync(join(cwd, 'tiny.gguf'), 'another model');
    const { exit, stderr } = await importing(cwd, 'tiny.gguf');

    expect(exit).toBe(2);
    expect(stderr).toContain('MODEL_FILE_MISMATCH  tiny.gguf');
    expect(stderr).toContain(createHash('sha256').update('another model').digest('hex'));
    expect(stderr).toContain('ab'.repeat(32));
  });

  test('takes the right one as far as to the engine, without a lock file', async () => {
    const sha256 = createHash('sha256').update('the model').digest('hex');
    const yaml = changed(['ab'.repeat(32), sha256]);
    const cwd = project({ 'dev.yaml': `${yaml}host:\n  docker: unix:///nowhere/docker.sock\n` });
    writeFileSync(join(cwd, 'tiny.gguf'), 'the model');
    const { exit, stderr } = await importing(cwd, 'tiny.gguf');

    expect(exit).toBe(3);
    expect(stderr).toContain('ENGINE_UNREACHABLE');
  });

  test('knows the models, and files that are none', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });

    expect((await importing(cwd, 'missing.gguf')).stderr).toContain('FILE_UNREADABLE  missing.gguf');
    expect((await importing(cwd, '.')).stderr).toContain('is not a file');
    const { exit, stderr } = await importing(cwd, 'missing.gguf', '--llm', 'mian');
    expect(exit).toBe(2);
    expect(stderr).toContain("dev has no model 'mian'; did you mean 'main'?");
  });
});

describe('ragdock model import, for vLLM', () => {
  const YAML = `schema: 1
services:
  llm:
    main: {engine: vllm, model: {name: owner/model}, maxModelLen: 4096}
  api: {courses: [demo]}
`;
  const importing = (cwd: string, folder: string) => ragdock(['model', 'import', folder, '--env', 'dev'], { cwd });

  test('carries the folder into the volume, without a lock file', async () => {
    const { engine, address } = await VolumeEngine.start();
    const cwd = project({ 'dev.yaml': `${YAML}host:\n  docker: ${address}\n` });
    modelFolder({}, join(cwd, 'saiga'));
    const { exit, stdout, stderr } = await importing(cwd, 'saiga');

    expect({ exit, stdout, stderr }).toEqual({
      exit: 0,
      stdout: 'owner/model at main is in the volume dev-llm-main-models\n',
      stderr: '',
    });
    expect(readFileSync(join(engine.volume, '.ragdock/owner--model@main'), 'utf8')).toContain('/snapshots/');
  });

  test('refuses what is no whole model, before the engine is asked', async () => {
    const cwd = project({ 'dev.yaml': `${YAML}host:\n  docker: unix:///nowhere/docker.sock\n` });
    modelFolder({ 'tokenizer.json': undefined, 'model.safetensors': 'x' }, join(cwd, 'saiga'));
    const { exit, stderr } = await importing(cwd, 'saiga');

    expect(exit).toBe(2);
    expect(stderr).toContain('MODEL_FOLDER_INCOMPLETE  saiga\n    has no tokenizer');
    expect(stderr).toContain('MODEL_FOLDER_INCOMPLETE  saiga/model.safetensors\n    is no whole safetensors file');
    expect(stderr).toContain('2 problems');
    expect((await importing(cwd, 'missing')).stderr).toContain('FILE_UNREADABLE  missing');
  });
});

describe('ragdock smoke', () => {
  test('ends with 0 when everything answers', async () => {
    const { cwd } = await deployedProject(finding());
    const { exit, stdout, stderr } = await ragdock(['smoke', 'dev'], { cwd });

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(/^ok {5} {2}qdrant {14}ready/m);
    expect(stdout).toMatch(/dev answers: \d+ checks passed, 0 failed, in/);
  });

  test('ends with 1 and the cause when something does not', async () => {
    const { cwd } = await deployedProject(finding('llm-main'));
    const { exit, stdout, stderr } = await ragdock(['smoke', 'dev', '--junit', 'smoke.xml'], { cwd });

    expect(exit).toBe(1);
    expect(stdout).toMatch(/^FAILED {3}llm-main .* 503 <loading>$/m);
    expect(stderr).toContain('SMOKE_FAILED\n    1 check failed: llm-main (ready)');
    expect(readFileSync(join(cwd, 'smoke.xml'), 'utf8')).toContain('<failure message="503 &lt;loading&gt;">');
  });

  test('gives stdout to the report when it is asked for there', async () => {
    const { cwd } = await deployedProject(finding('llm-main'));
    const { exit, stdout, stderr } = await ragdock(['smoke', 'dev', '--json', '-'], { cwd });

    expect(exit).toBe(1);
    const report = JSON.parse(stdout) as { readonly ok: boolean; readonly checks: readonly object[] };
    expect(report.ok).toBe(false);
    expect(report.checks[0]).toMatchObject({ service: 'llm-main', ok: false, came: '503 <loading>' });
    expect(stderr).toContain('FAILED');
  });

  test('writes the report into a file', async () => {
    const { cwd } = await deployedProject(finding());
    await ragdock(['smoke', 'dev', '--json', 'smoke.json'], { cwd });

    expect(JSON.parse(readFileSync(join(cwd, 'smoke.json'), 'utf8'))).toMatchObject({ ok: true });
  });

  test.each(['0', '-5', 'soon', '1.5'])('wants whole seconds, not %s', async (timeout) => {
    const { exit, stderr } = await ragdock(['smoke', 'dev', `--timeout=${timeout}`], { cwd: project() });

    expect(exit).toBe(2);
    expect(stderr).toContain('USAGE');
  });
});
