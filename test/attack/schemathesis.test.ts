import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEY } from '../support/rag-api.js';
import { run } from '../support/run.js';
import { AttackedApi } from './support/attacked-api.js';

const INSTALLED = fileURLToPath(new URL('../host/schemathesis', import.meta.url));

/**
 * What a schema cannot say, or what this program cannot read. The last message of a conversation has to be the user's and to
 * hold something; and classes of Unicode in the pattern of a name are read as if they were of Latin letters alone.
 */
// All checks are on by default; `--checks all` would overrule what is said here.
const CONFIGURATION = `
[[operations]]
include-name = "POST /v1/chat/completions"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-name = "GET /history"
checks.negative_data_rejection.enabled = false

[[operations]]
include-name = "DELETE /users/{name}"
checks.negative_data_rejection.enabled = false
`;

let api: AttackedApi;
let program: string;
let folder: string;

beforeAll(async () => {
  program = execFileSync(INSTALLED, { encoding: 'utf8' }).trim();
  folder = mkdtempSync(join(tmpdir(), 'ragdock-schemathesis-'));
  writeFileSync(join(folder, 'schemathesis.toml'), CONFIGURATION);
  // What is attacked is the routes, not the limits, which have a test of their own.
  api = await AttackedApi.start({ questionsPerMinute: 100_000, recordsPerMinute: 100_000, concurrentStreams: 100 });
}, 300_000);

afterAll(async () => {
  await api?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

test('every operation answers as its description says, whatever it is sent', { timeout: 1_000_000 }, async () => {
  const { code, stdout, stderr } = await run(
    [
      program,
      'run',
      `${api.url}/openapi.json`,
      '--header',
      `Authorization: Bearer ${KEY}`,
      '--max-examples',
      '150',
      '--seed',
      '20261127',
      '--continue-on-failure',
      '--request-timeout',
      '20',
      '--no-color',
    ],
    { timeoutSeconds: 900, cwd: folder },
  );
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  // It looked: each of the operations but the one that it was given the document by.
  expect(stdout).toMatch(/Operations:\s+10 selected \/ 10 total/);
  expect(api.isAlive).toBe(true);
  expect(api.errors).not.toMatch(/"code":"INTERNAL"/);
  const after = await api.ask();
  expect(after.status).toBe(200);
  expect(await after.text()).toBe('Векторная база');
});
