import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RagdockError } from '../../src/errors/problem.js';
import { readJudgedFolder } from '../../src/evaluation/judged-folder.js';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  mkdirSync(join(cwd, 'set'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const GOOD = {
  'corpus.jsonl': '{"_id":"p1","title":"T","text":"один"}\n{"_id":"p2","text":"два"}\n',
  'queries.jsonl': '{"_id":"q1","text":"первый"}\n{"_id":"q2","text":"второй"}\n',
  'qrels.tsv': 'query-id\tcorpus-id\tscore\nq1\tp1\t2\nq1\tp2\t0\nq2\tp2\t1\n',
};

function write(files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries({ ...GOOD, ...files })) writeFileSync(join(cwd, 'set', name), content);
}

const read = () => readJudgedFolder('set', cwd);

async function passagesOf(without?: ReadonlySet<string>): Promise<unknown[]> {
  const passages: unknown[] = [];
  for await (const passage of (await read()).passages(without)) passages.push(passage);
  return passages;
}

async function faults(): Promise<readonly string[]> {
  const error = await read().then(
    () => undefined,
    (thrown: RagdockError) => thrown,
  );
  return error?.problems.map(({ file, line, message }) => `${file}:${line ?? ''} ${message}`) ?? [];
}

describe('a set', () => {
  test('is read, its grades too; a title may be missing', async () => {
    write({});
    const { questions, skipped, notices } = await read();
    expect(questions).toEqual([
      {
        id: 'q1',
        text: 'первый',
        judgements: new Map([
          ['p1', 2],
          ['p2', 0],
        ]),
      },
      { id: 'q2', text: 'второй', judgements: new Map([['p2', 1]]) },
    ]);
    expect({ skipped, notices }).toEqual({ skipped: 0, notices: [] });
    expect(await passagesOf()).toEqual([
      { id: 'p1', title: 'T', text: 'один' },
      { id: 'p2', title: '', text: 'два' },
    ]);
    expect(await passagesOf(new Set(['p1']))).toHaveLength(1);
  });

  test.each([
    ['without a header', 'q1\tp1\t1\nq2\tp2\t1\n'],
    ['of numbers without a header', '1\tp1\t1\n'],
    ['with Windows’ ends of lines', 'query-id\tcorpus-id\tscore\r\nq1\tp1\t1\r\nq2\tp2\t1\r\n'],
    ['with a byte order mark', '\uFEFFq1\tp1\t1\nq2\tp2\t1'],
    ['in TREC’s columns', 'q1 0 p1 1\nq2 0 p2 1\n'],
    ['in TREC’s columns with tabs', 'q1\t0\tp1\t1\nq2\t0\tp2\t1\n'],
    ['with decimals', 'q1\tp1\t1.0\nq2\tp2\t0.5\n'],
    ['with empty lines', '\n\nq1\tp1\t1\n\n\nq2\tp2\t1\n\n'],
  ])('may have judgements %s', async (_, qrels) => {
    write({
      'qrels.tsv': qrels,
      'queries.jsonl': qrels.startsWith('1') ? '{"_id":1,"text":"первый"}' : GOOD['queries.jsonl'],
    });
    const { questions } = await read();
    expect(questions[0]?.judgements.get('p1')).toBe(1);
    expect(questions).toHaveLength(qrels.startsWith('1') ? 1 : 2);
  });

  test('may have numbers, spaces and other letters as ids, and null as a title', async () => {
    write({
      'corpus.jsonl': '\uFEFF{"_id":7,"title":null,"text":""}\n{"_id":"абзац 2","text":"x","metadata":{"url":"u"}}\n',
      'queries.jsonl': '{"_id":0,"text":"a"}\n{"_id":"q 2","text":"b"}',
      'qrels.tsv': '0\t7\t1\nq 2\tабзац 2\t1\n',
    });
    expect((await read()).questions.map(({ id, judgements }) => [id, ...judgements.keys()])).toEqual([
      ['0', '7'],
      ['q 2', 'абзац 2'],
    ]);
  });

  test('may have its judgements where BEIR puts those for tests', async () => {
    write({});
    rmSync(join(cwd, 'set/qrels.tsv'));
    mkdirSync(join(cwd, 'set/qrels'));
    writeFileSync(join(cwd, 'set/qrels/test.tsv'), GOOD['qrels.tsv']);
    expect((await read()).questions).toHaveLength(2);
  });

  test('leaves out questions for which nothing is relevant, and counts them', async () => {
    write({ 'qrels.tsv': 'q1\tp1\t1\nq2\tp2\t0\n' });
    expect(await read()).toMatchObject({ skipped: 1, questions: [{ id: 'q1' }] });
  });

  test('says where judgements name what is not there', async () => {
    write({ 'qrels.tsv': 'q1\tp1\t1\nq1\tp9\t1\nq9\tp1\t1\nq9\tp2\t1\n' });
    expect((await read()).notices).toEqual([
      'set/qrels.tsv:3: 2 lines name no question of queries.jsonl',
      'set/qrels.tsv:2: 1 line names no passage of corpus.jsonl; it counts as not found',
    ]);
  });

  test('longer than what is read at once is whole', async () => {
    const text = 'длинный '.repeat(100_000);
    write({ 'corpus.jsonl': `${JSON.stringify({ _id: 'p1', text })}\n{"_id":"p2","text":"два"}` });
    expect(await passagesOf()).toEqual([
      { id: 'p1', title: '', text },
      { id: 'p2', title: '', text: 'два' },
    ]);
  });
});

describe('faults', () => {
  test('are all told at once, with file and line', async () => {
    write({
      'corpus.jsonl': Buffer.concat([
        Buffer.from('{"_id":"p1","text":"a"}\nnot json\n{"_id":"p1","text":"b"}\n{"_id":"p3"}\n{"text":"c"}\n'),
        Buffer.from([0x22, 0xff, 0x22, 0x0a]),
        Buffer.from('{"_id":"p4","title":5,"text":"d"}\n["p5"]\n'),
      ]),
      'queries.jsonl': '{"_id":"q1","text":"a"}\n{"_id":"q1","text":"b"}\n{"_id":"q3"}\n',
      'qrels.tsv': 'query-id\tcorpus-id\tscore\nq1\tp1\tvery\nq1\tp1\nq1\tp1\t1\nq1\tp1\t2\n\tp1\t1\n',
    });
    expect(await faults()).toEqual([
      'set/qrels.tsv:2 expected a number as the grade, got "very"',
      'set/qrels.tsv:3 expected 3 columns, got 2',
      'set/qrels.tsv:5 judges passage p1 for question q1 otherwise than line 4',
      'set/qrels.tsv:6 the question or the passage has no id',
      'set/queries.jsonl:2 has the id q1 once more',
      expect.stringMatching(/^set\/queries\.jsonl:3 text: /),
      expect.stringMatching(/^set\/corpus\.jsonl:2 the line is no JSON: /),
      'set/corpus.jsonl:3 has the id p1 once more',
      expect.stringMatching(/^set\/corpus\.jsonl:4 text: /),
      expect.stringMatching(/^set\/corpus\.jsonl:5 _id: /),
      'set/corpus.jsonl:6 the line is not UTF-8 text',
      expect.stringMatching(/^set\/corpus\.jsonl:7 title: /),
      expect.stringMatching(/^set\/corpus\.jsonl:8 /),
    ]);
  });

  test('of files that are not there are told together', async () => {
    expect(await faults()).toEqual([
      expect.stringMatching(/^set\/qrels\.tsv: ENOENT/),
      expect.stringMatching(/^set\/queries\.jsonl: ENOENT/),
      expect.stringMatching(/^set\/corpus\.jsonl: ENOENT/),
    ]);
  });

  test('of a file of another kind are not as many as its lines', async () => {
    write({ 'corpus.jsonl': 'plain text\n'.repeat(10_000) });
    const told = await faults();
    expect(told).toHaveLength(51);
    expect(told.at(-1)).toContain('and 9951 more');
  });

  test.each([
    ['corpus.jsonl', 'holds no passage'],
    ['queries.jsonl', 'holds no question'],
    ['qrels.tsv', 'holds no judgement'],
  ])('%s may not be empty', async (file, message) => {
    write({ [file]: '' });
    expect(await faults()).toContain(`set/${file}: ${message}`);
  });

  test('judgements of another set are one', async () => {
    write({ 'qrels.tsv': 'x\ty\t1\n' });
    expect(await faults()).toEqual([
      'set/qrels.tsv: names no passage of corpus.jsonl as relevant for a question of queries.jsonl',
    ]);
  });
});
