import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeStack } from '../../src/operator/stack.js';
import { ragdock } from '../cli/terminal.js';
import { MINIMAL, project, put } from '../config/project.js';
import { engineWith } from './support/deployed-engine.js';
import { type Program, textOf } from './support/scripted-engine.js';

/** A project with a judged set, whose environment is deployed on a scripted engine. */
async function deployedProject(program: Program) {
  const cwd = project({ 'dev.yaml': MINIMAL });
  await ragdock(['lock', 'dev'], { cwd });
  const engine = await engineWith(describeStack('dev', cwd), program);
  put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: ${engine.address}\n`);
  mkdirSync(join(cwd, 'set'));
  writeFileSync(join(cwd, 'set/corpus.jsonl'), '{"_id":"p1","text":"один"}\n{"_id":"p2","text":"два"}\n');
  writeFileSync(join(cwd, 'set/queries.jsonl'), '{"_id":"q1","text":"раз"}\n{"_id":"q2","text":"два"}\n');
  writeFileSync(join(cwd, 'set/qrels.tsv'), 'q1\tp1\t1\nq2\tp2\t1\n');
  return { cwd, engine };
}

test('eval --env sends the set into a session, and measures what that found', async () => {
  let lines: readonly string[] = [];
  let environment: readonly string[] = [];
  const { cwd, engine } = await deployedProject(async ({ stdin, stdout, options }) => {
    lines = (await textOf(stdin)).trim().split('\n');
    environment = options.Env ?? [];
    stdout('{"event":"progress","passages":2,"questions":0}\n');
    stdout('{"event":"found","id":"q1","ranking":["p2","p1"]}\n{"event":"found","id":"q2","ranking":["p2"]}\n');
    stdout('{"event":"done","by":"words"}\n');
    return 0;
  });
  const { exit, stdout } = await ragdock(['eval', 'set', '--env', 'dev', '--json'], { cwd });

  expect(exit).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ queries: 2, by: 'words', metrics: { mrr: { value: 0.75 } } });
  const [plan, ...others] = lines.map((line) => JSON.parse(line));
  expect(plan).toMatchObject({ liveRuns: [], language: 'russian', like: 'BD_curs_data', passages: 2, questions: 2 });
  expect(others).toEqual([
    { id: 'p1', title: '', text: 'один' },
    { id: 'p2', title: '', text: 'два' },
    { id: 'q1', text: 'раз' },
    { id: 'q2', text: 'два' },
  ]);
  expect(environment).toContain('QDRANT_URL=http://dev-qdrant:6333');
  expect(engine.containers.size).toBe(0);
});

test.each([
  ['{"event":"error","detail":"Qdrant cannot be reached: ECONNREFUSED"}\n', 'MEASURING_FAILED', 'ECONNREFUSED'],
  ['', 'SESSION_FAILED', 'the session ended with 1'],
])('a session that says %j is a failure', async (said, code, message) => {
  const { cwd } = await deployedProject(async ({ stdin, stdout }) => {
    await textOf(stdin);
    stdout(said);
    return 1;
  });
  const { exit, stdout, stderr } = await ragdock(['calibrate', 'set', '--env', 'dev'], { cwd });

  expect({ exit, stdout }).toEqual({ exit: 3, stdout: '' });
  expect(stderr).toContain(code);
  expect(stderr).toContain(message);
});

test('a collection that the environment does not have is named', async () => {
  const { cwd } = await deployedProject(() => 0);
  const { exit, stderr } = await ragdock(['eval', 'set', '--env', 'dev', '--collection', 'BD_cursdata'], { cwd });
  expect(exit).toBe(2);
  expect(stderr).toContain('BD_curs_data');
});
