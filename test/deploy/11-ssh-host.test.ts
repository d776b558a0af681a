import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { removeEnvironment } from './support/clean.js';
import { Deployment } from './support/deployment.js';
import { DEV } from './support/dev.js';
import { destroyAndAgain } from './support/list/destroy-and-again.js';
import { fromNothing } from './support/list/from-nothing.js';
import { secondPlan } from './support/list/second-plan.js';
import { smokeIsGreen } from './support/list/smoke.js';
import { statusAndLogs } from './support/list/status-and-logs.js';
import { copyProject } from './support/project.js';
import { SshClient } from './support/ssh-client.js';
import { TestSshd, useOf } from './support/sshd.js';

const PORT = 8091;

const sshd = await TestSshd.start(process.env.RAGDOCK_CACHE ?? '/var/cache/ragdock');
const client = new SshClient(sshd);
const folder = mkdtempSync(join(tmpdir(), 'ragdock-ssh-'));
copyProject(folder);
const remote = new Deployment({
  ...DEV,
  name: 'remote',
  project: folder,
  models: [{ file: inject('modelFile') }],
  chat: `http://127.0.0.1:${PORT}/`,
  commands: client.commands,
});
const { project, engine } = remote;

/** dev's settings, on the other side of ssh, beside dev on the same engine. */
function writeEnvironment(): void {
  copyFileSync(join(folder, 'config/environments/dev.yaml'), project.environmentFile);
  project.setSetting(['host'], { docker: `ssh://root@localhost:${sshd.port}`, networkPool: '10.231.48.0/20' });
  project.setSetting(['services', 'webBot', 'publish', 'port'], PORT);
  // Few tokens: what is tried here is the way to the model.
  project.setSetting(['services', 'llm', 'main', 'sampling', 'maxTokens'], 24);
}

beforeAll(async () => {
  await removeEnvironment(engine);
  writeEnvironment();
  await project.ragdock('lock', 'remote');
});

afterAll(async () => {
  await sshd.close();
  if (process.env.RAGDOCK_KEEP_STACK) return;
  await removeEnvironment(engine);
  await sshd.remove();
  client.remove();
  rmSync(folder, { recursive: true });
});

test('the commands have no way to the engine but ssh', async () => {
  const local = await project.run('docker', ['version']);
  expect(local.code).not.toBe(0);
  expect(local.stderr).toMatch(/Cannot connect to the Docker daemon at unix:\/\/\/var\/run\/docker.sock/);

  const there = await project.succeed('ssh', ['-p', String(sshd.port), 'root@localhost', 'docker', 'version']);
  expect(there.stdout).toContain('Server:');
});

fromNothing(remote);
secondPlan(remote);
smokeIsGreen(remote);
statusAndLogs(remote);
destroyAndAgain(remote);

test('sshd, with the limits that it has by itself, never had to drop a connection', () => {
  const { logins, dropped } = useOf(sshd.log);
  console.log(useOf(sshd.log));

  expect(logins).toBeGreaterThan(0);
  expect(dropped).toBe(0);
});
