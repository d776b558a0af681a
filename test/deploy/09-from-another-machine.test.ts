import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { removeEnvironment } from './support/clean.js';
import { type Clone, firstClone, nextClone } from './support/clones.js';
import { docker, EngineView, TEST_HOST_SOCKET } from './support/engine.js';
import { until } from './support/poll.js';
import { succeed } from './support/project.js';
import { type StateDatabase, startStateDatabase } from './support/state-database.js';

const ENVIRONMENT = 'pipeline';
const FILE = `config/environments/${ENVIRONMENT}.yaml`;

/** A model, and as little else as answers questions. */
const environmentFile = (llm: unknown): string => `schema: 1
host: { networkPool: 10.235.0.0/20 }
state:
  backend: pg
  config: { schema_name: ragdock_pipeline }
secrets: { store: files }
services:
  llm: ${JSON.stringify(llm)}
  api: { courses: [demo], limits: { totalSeconds: 300 } }
  webBot: { enabled: false }
  prometheus: { enabled: false }
  nodeExporter: { enabled: false }
`;

/** What stands for the client of a vault: it prints the value that it is asked for, or says that there is none. */
const VAULT_READ = `#!/bin/sh
exec cat "$VAULT_FOLDER/$1.v$2"
`;
const COMMAND_STORE = "{ store: command, command: [ci/vault-read, '{name}', '{version}'] }";

let root: string;
let database: StateDatabase;
let first: Clone;
let second: Clone;

const secretsOf = (clone: Clone): string => clone.path('.ragdock/secrets', ENVIRONMENT);

/** What of the stack is on the engine: id of each container by its name. */
async function containers(): Promise<Record<string, string>> {
  const all = await docker.listContainers({ all: true });
  const ours = all.filter(({ Names: [name = ''] }) => name.startsWith(`/${ENVIRONMENT}-`));
  return Object.fromEntries(ours.map(({ Names: [name = ''], Id }) => [name.slice(1), Id]));
}

/** Files below a folder whose bytes hold a text. */
function holding(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => {
    const path = join(folder, file);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'ragdock-pipeline-'));
  await removeEnvironment(new EngineView(TEST_HOST_SOCKET, ENVIRONMENT, []));
  database = await startStateDatabase();
  const dev = parse(readFileSync(join(inject('project'), 'config/environments/dev.yaml'), 'utf8'));
  // Short answers are as good as long ones here, and sooner there.
  const llm = { main: { ...dev.services.llm.main, sampling: { maxTokens: 16 } } };
  const variables = { PG_CONN_STR: database.connection, CI: '', VAULT_FOLDER: join(root, 'vault') };
  first = await firstClone(root, ENVIRONMENT, variables, {
    [FILE]: environmentFile(llm),
    'ci/vault-read': VAULT_READ,
  });
  chmodSync(first.path('ci/vault-read'), 0o755);
});

afterAll(async () => {
  if (process.env.RAGDOCK_KEEP_STACK) return;
  await removeEnvironment(new EngineView(TEST_HOST_SOCKET, ENVIRONMENT, []));
  await database?.remove();
  rmSync(root, { recursive: true });
});

test('one machine makes the environment, its secrets and the stack; git and the database have the rest', async () => {
  await first.succeed('npx', ['ragdock', 'lock', ENVIRONMENT]);
  await first.succeed('npx', ['ragdock', 'secrets', 'init', ENVIRONMENT]);
  await first.publish('A stack for everybody');
  await first.succeed('npx', ['ragdock', 'model', 'import', inject('modelFile'), '--env', ENVIRONMENT]);

  const { code, stdout, stderr } = await first.deploy();

  expect(code, stdout + stderr).toBe(0);
  expect(existsSync(first.path('state'))).toBe(false);
  expect(await database.query('SELECT name FROM ragdock_pipeline.states')).toEqual([{ name: 'default' }]);
  const backend = JSON.parse(readFileSync(join(first.stack, 'cdk.tf.json'), 'utf8')).terraform.backend;
  expect(backend).toEqual({ pg: { schema_name: 'ragdock_pipeline' } });
  // Terraform itself keeps how it was told to reach the state, so what counts is that the variable is not kept there.
  expect(holding(first.path('cdktf.out'), database.password)).toEqual([]);
});

test('another clone has an empty plan without secrets', async () => {
  second = await nextClone(root, first);
  await second.succeed('npx', ['cdktf', 'synth']);
  await succeed('terraform', ['init', '-input=false', '-no-color'], { cwd: second.stack, env: second.variables });
  expect(existsSync(second.path('.ragdock'))).toBe(false);

  const { code, stdout, stderr } = await second.planWithoutSecrets();

  expect(code, stdout + stderr).toBe(0);
});

test('it invents no secret that the lock file knows', async () => {
  const { code, stderr } = await second.ragdock(['secrets', 'init', ENVIRONMENT]);

  expect(code).toBe(2);
  expect(stderr.match(/^SECRET_KNOWN_TO_LOCK /gm)).toHaveLength(readdirSync(secretsOf(first)).length);
  expect(existsSync(secretsOf(second))).toBe(false);
});

test('it deploys nothing without secrets, and says what to run', async () => {
  await second.change(FILE, 'totalSeconds: 300', 'totalSeconds: 290');
  const before = await containers();

  const { code, stdout, stderr } = await second.deploy();

  expect(code).not.toBe(0);
  expect(stdout + stderr).toContain(`npx ragdock secrets init ${ENVIRONMENT}`);
  expect(await containers()).toEqual(before);
});

test('with a vault it fetches the promised values, and no others', async () => {
  cpSync(secretsOf(first), join(root, 'vault'), { recursive: true });
  await second.change(FILE, '{ store: files }', COMMAND_STORE);
  expect((await second.deploy()).stdout).toContain(`npx ragdock secrets fetch ${ENVIRONMENT}`);

  // WHEN the vault has one value that was never promised, and lacks one
  const [wrong = '', missing = ''] = readdirSync(join(root, 'vault'));
  writeFileSync(join(root, 'vault', wrong), 'a-value-that-nobody-promised');
  rmSync(join(root, 'vault', missing));
  const refused = await second.ragdock(['secrets', 'fetch', ENVIRONMENT]);
  // THEN both are told, and nothing is kept
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/^SECRET_MISMATCH /m);
  expect(refused.stderr).toMatch(/^SECRET_COMMAND_FAILED .*\n.*exit code 1, .*\n.*No such file/m);
  expect(refused.stderr).not.toContain('a-value-that-nobody-promised');
  expect(existsSync(secretsOf(second))).toBe(false);

  // WHEN the vault is right
  for (const file of [wrong, missing]) cpSync(join(secretsOf(first), file), join(root, 'vault', file));
  const fetched = await second.succeed('npx', ['ragdock', 'secrets', 'fetch', ENVIRONMENT]);
  const files = readdirSync(secretsOf(second));
  expect(files).toEqual(readdirSync(secretsOf(first)));
  for (const file of files) {
    expect(statSync(join(secretsOf(second), file)).mode & 0o777).toBe(0o600);
    expect(fetched.stdout + fetched.stderr).not.toContain(readFileSync(join(secretsOf(second), file), 'utf8'));
  }
});

test('then it deploys, and the stack answers without secrets and state on the machine', async () => {
  const before = await containers();

  const { code, stdout, stderr } = await second.deploy();
  await second.succeed('npx', ['ragdock', 'secrets', 'forget', ENVIRONMENT]);

  expect(code, stdout + stderr).toBe(0);
  const after = await containers();
  const replaced = Object.keys(before).filter((name) => before[name] !== after[name]);
  expect(replaced).toContain(`${ENVIRONMENT}-rag-api`);
  expect(replaced).not.toContain(`${ENVIRONMENT}-postgres`);
  expect(readdirSync(secretsOf(second))).toEqual([]);
  expect(existsSync(second.path('state'))).toBe(false);
  await second.succeed('npx', ['ragdock', 'smoke', ENVIRONMENT]);
  await Promise.all([
    second.succeed('npx', ['ragdock', 'status', ENVIRONMENT]),
    second.succeed('npx', ['ragdock', 'logs', ENVIRONMENT, 'rag-api', '--tail', '1']),
  ]);
  const plan = await second.planWithoutSecrets();
  expect(plan.code, plan.stdout + plan.stderr).toBe(0);
});

test('of two deploys at once one is told that the state is locked; with a time to wait it has its turn', async () => {
  // GIVEN a deploy of the first machine that holds the state while it waits for its approval
  await first.git('pull', '--quiet', 'origin', 'main');
  await first.change(FILE, 'totalSeconds: 290', 'totalSeconds: 280');
  await first.succeed('npx', ['cdktf', 'synth']);
  const holder = spawn('terraform', ['apply', '-no-color'], {
    cwd: first.stack,
    env: { ...process.env, ...first.variables },
  });
  const ended = once(holder, 'exit');
  let said = '';
  for (const stream of [holder.stdout, holder.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  try {
    await until('the first deploy asks for its approval', async () => said.includes('Enter a value:'));
    await second.git('pull', '--quiet', 'origin', 'main');
    await second.succeed('npx', ['ragdock', 'secrets', 'fetch', ENVIRONMENT]);

    // WHEN the second one deploys THEN it is told
    const refused = await second.deploy();
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain('Error acquiring the state lock');
    expect(refused.stdout + refused.stderr).toContain('already locked');
    expect((refused.stdout + refused.stderr).replace(/\s+/g, ' ')).toContain(
      'Please resolve the issue above and try again',
    );

    // WHEN it waits instead, and the first one goes on THEN both come to an end, and there is nothing more to do
    const waiting = second.deploy({
      TF_CLI_ARGS_apply: '-lock-timeout=5m',
      PG_CONN_STR: `${database.connection}&application_name=waiting`,
    });
    const tried = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'waiting' AND query LIKE '%advisory%lock%'";
    await until('the second deploy has tried', async () => (await database.query(tried)).length > 0);
    holder.stdin.end('yes\n');
    const [code] = await ended;
    expect(code, said).toBe(0);
    const { code: second_, stdout, stderr } = await waiting;
    expect(second_, stdout + stderr).toBe(0);
  } finally {
    holder.kill();
  }
  const plan = await second.planWithoutSecrets();
  expect(plan.code, plan.stdout + plan.stderr).toBe(0);
});
