import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { expect, onTestFinished, test, vi } from 'vitest';
import { question, SESSION_KEY, Visitor, WAIT } from './harness.js';
import { begin, KEY, ScriptedApi } from './scripted-api.js';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const RUN = "import { runWebBot } from './src/apps/web-bot/main.ts'; await runWebBot(process.env);";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Bot {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
}

/** The bot as a process of its own, with nothing in its environment but what the deployment gives it. */
async function spawnBot(apiUrl: string, settings: object = {}): Promise<Bot> {
  const folder = await mkdtemp(join(tmpdir(), 'web-bot-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const port = await freePort();
  const file = join(folder, 'settings.json');
  await writeFile(
    file,
    JSON.stringify({
      listen: { port },
      courses: ['demo'],
      messageCharacters: 200,
      api: { firstTokenSeconds: 60, idleSeconds: 60, totalSeconds: 300 },
      ...settings,
    }),
  );
  await writeFile(join(folder, 'api-key.v1'), KEY);
  await writeFile(join(folder, 'session-key.v1'), SESSION_KEY);
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', RUN], {
    cwd: REPOSITORY,
    env: {
      RAGDOCK_SETTINGS: file,
      RAG_API_URL: apiUrl,
      RAG_API_KEY_FILE: join(folder, 'api-key'),
      SESSION_KEY_FILE: join(folder, 'session-key'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  return { child, url: `http://127.0.0.1:${port}`, output: () => output };
}

async function status(url: string): Promise<number> {
  const { statusCode, body } = await request(url);
  await body.dump();
  return statusCode;
}

const STARTED = { timeout: 20_000, interval: 50 };

test('listens before the API is there, answers once it is, and ends its answers on SIGTERM', async () => {
  const apiPort = await freePort();
  const { child, url, output } = await spawnBot(`http://127.0.0.1:${apiPort}`);
  await vi.waitFor(async () => expect(await status(`${url}/healthz`)).toBe(200), STARTED);
  expect(await status(`${url}/readyz`)).toBe(503);

  const api = await ScriptedApi.start(apiPort);
  onTestFinished(() => api.stop());
  await vi.waitFor(async () => expect(await status(`${url}/readyz`)).toBe(200), WAIT);

  const visitor = await Visitor.connect(url);
  const asked = question();
  const exited = once(child, 'exit');
  api.script = async (response) => {
    begin(response);
    response.write('Начало');
    await visitor.sees(asked.message_id, 'Начало');
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(output()).toContain('stopping'), WAIT);
    response.end(' и конец');
  };
  expect(await visitor.ask(asked)).toMatchObject({ text: 'Начало и конец', finished: { ok: true } });
  expect(await exited).toEqual([0, null]);
  expect(output()).not.toContain('canary');
});

test('does not start with wrong settings, and names all of them', async () => {
  const { child, output } = await spawnBot('http://127.0.0.1:1', { courses: [], messageCharacters: '200' });
  const [code] = await once(child, 'exit');
  expect(code).not.toBe(0);
  expect(output()).toContain('courses');
  expect(output()).toContain('messageCharacters');
});
