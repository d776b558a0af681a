import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { expect, inject, test } from 'vitest';
import { allHealthy } from './support/engine.js';
import { deploy, plan, ragdock, run } from './support/project.js';
import { ask, DOCUMENT, ingest, QUESTION, secretsFolder } from './support/stack.js';

test('without secrets nothing is started, and the message names the command', async () => {
  const outcome = await run('npx', ['cdktf', 'deploy', 'dev', '--auto-approve', '--skip-provider-lock']);

  expect(outcome.code).not.toBe(0);
  expect(outcome.stdout + outcome.stderr).toContain('npx ragdock secrets init dev');
});

test('secrets are made once, readable by their owner alone, and never printed', async () => {
  const { stdout, stderr } = await ragdock('secrets', 'init', 'dev');

  const files = readdirSync(secretsFolder());
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) {
    const path = join(secretsFolder(), file);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(stdout + stderr).not.toContain(readFileSync(path, 'utf8'));
  }
  const before = files.map((file) => readFileSync(join(secretsFolder(), file), 'utf8'));
  await ragdock('secrets', 'init', 'dev');
  expect(files.map((file) => readFileSync(join(secretsFolder(), file), 'utf8'))).toEqual(before);
  // Each machine has secrets of its own for this environment, so nothing that is committed changes.
  const lock = 'config/environments/dev.lock.yaml';
  expect(readFileSync(join(inject('project'), lock), 'utf8')).toBe(readFileSync(lock, 'utf8'));
});

test('a model file that is not the one that was asked for is refused', async () => {
  const outcome = await run('npx', ['ragdock', 'model', 'import', 'package.json', '--env', 'dev']);

  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toContain('MODEL_FILE_MISMATCH');
});

test('the model file is imported', async () => {
  await ragdock('model', 'import', inject('modelFile'), '--env', 'dev');
});

test('a deploy brings every service up, healthy', async () => {
  await deploy();
  await allHealthy();
});

test('the state is readable by its owner alone', () => {
  const folder = join(inject('project'), 'state');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'dev.tfstate')).mode & 0o777).toBe(0o600);
});

test('a second plan is empty', async () => {
  const { code, stdout } = await plan();

  expect(code, stdout).toBe(0);
});

test('a document is ingested; a second time changes nothing', async () => {
  expect((await ingest()).stdout).toContain('coffee-machine.md');
  expect((await ingest()).stdout).toMatch(/unchanged/);
});

test('a question in Russian is answered as a stream, and the answer names its source', async () => {
  const answer = await ask();

  expect(answer.chunks.length).toBeGreaterThan(1);
  expect(answer.chunks.join('').trim()).not.toBe('');
  expect(answer.sources).toContainEqual(expect.objectContaining({ source: DOCUMENT, collection: 'BD_curs_data' }));
});

test('the chat page answers over its published port with the four events', async () => {
  const page = await fetch('http://127.0.0.1:8080/');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');

  const socket = io('http://127.0.0.1:8080', { transports: ['websocket'] });
  try {
    const seen: string[] = [];
    const chunks: string[] = [];
    socket.on('bot_typing', () => seen.push('bot_typing'));
    socket.on('bot_chunk', (chunk: { text: string }) => {
      seen.push('bot_chunk');
      chunks.push(chunk.text);
    });
    const finished = new Promise<{ ok: boolean; sources: unknown[] }>((resolve) => socket.on('bot_finished', resolve));
    await socket.timeout(10_000).emitWithAck('send_message', {
      message: QUESTION,
      user_name: 'deploy-suite',
      course: 'demo',
      message_id: crypto.randomUUID(),
    });
    const end = await finished;

    expect(end).toMatchObject({ ok: true, sources: [expect.objectContaining({ source: DOCUMENT })] });
    expect(seen[0]).toBe('bot_typing');
    expect(chunks.length).toBeGreaterThan(1);
  } finally {
    socket.disconnect();
  }
});
