import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { removeEnvironment } from '../clean.js';
import { Deployment, DOCUMENT } from '../deployment.js';
import { answerShortly, DEV } from '../dev.js';
import { TEST_HOST_SOCKET } from '../engine.js';
import { copyProject } from '../project.js';
import { SshClient } from '../ssh-client.js';
import { TestSshd, useOf } from '../sshd.js';
import { fromNothing } from './from-nothing.js';
import { secondPlan } from './second-plan.js';
import { smokeIsGreen } from './smoke.js';
import { statusAndLogs } from './status-and-logs.js';

/** Port of the chat page, beside dev's own. */
const PORT = 8091;

/**
 * The settings of dev as an environment `remote` on the other side of ssh, beside dev on the same engine.
 *
 * @param socket of the engine, on sshd's side
 */
export async function sshHost(modelFile: string, socket = TEST_HOST_SOCKET): Promise<void> {
  const sshd = await TestSshd.start(process.env.RAGDOCK_CACHE ?? '/var/cache/ragdock', [
    `SetEnv DOCKER_HOST=unix://${socket}`,
  ]);
  const client = new SshClient(sshd);

  const folder = mkdtempSync(join(tmpdir(), 'ragdock-ssh-'));
  copyProject(folder);
  const remote = new Deployment({
    ...DEV,
    name: 'remote',
    project: folder,
    models: [{ file: modelFile }],
    chat: `http://127.0.0.1:${PORT}/`,
    socket,
    commands: client.commands,
  });
  const { project, engine } = remote;

  function writeEnvironment(): void {
    copyFileSync(join(folder, 'config/environments/dev.yaml'), project.environmentFile);
    project.setSetting(['host'], { docker: `ssh://root@localhost:${sshd.port}`, networkPool: '10.231.48.0/20' });
    project.setSetting(['services', 'webBot', 'publish', 'port'], PORT);
    answerShortly(project);
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

  describe('the commands and a deploy say what is wrong when', () => {
    const COMMANDS = [
      ['smoke', 'remote'],
      ['status', 'remote'],
      ['ingest', DOCUMENT, '--collection', DEV.collection, '--course', DEV.course, '--env', 'remote'],
    ] as const;

    afterEach(async () => {
      await sshd.close();
      await sshd.serve();
      client.trustHost();
      client.useKey();
    });

    test.each<[string, () => Promise<void> | void, string, string]>([
      [
        'the host has another key than before',
        async () => {
          await sshd.close();
          sshd.newHostKey();
          await sshd.serve();
        },
        'Host key verification failed.',
        `ssh-keygen -R '[localhost]:${sshd.port}'`,
      ],
      [
        'the host is not known',
        () => client.forgetHost(),
        'Host key verification failed.',
        `ssh -p ${sshd.port} root@`,
      ],
      ['there is no key', () => client.loseKey(), 'Permission denied (publickey).', 'ssh-copy-id'],
      ['nobody listens', () => sshd.close(), 'Connection refused', `ssh -p ${sshd.port} root@localhost docker version`],
      [
        'there is no docker command on the other side',
        async () => {
          await sshd.close();
          await sshd.serve(['SetEnv PATH=/nowhere']);
        },
        'docker: command not found',
        'Install the docker command there',
      ],
    ])('%s', async (_, spoil, said, remedy) => {
      await spoil();

      for (const command of COMMANDS) {
        const { code, stderr } = await project.tryRagdock(...command);
        expect(stderr, command[0]).toContain('ENGINE_UNREACHABLE');
        expect(stderr, command[0]).toContain(said);
        expect(stderr, command[0]).toContain(remedy);
        expect(code, command[0]).toBe(3);
      }
      const deploy = await project.tryDeploy();
      expect(deploy.code).not.toBe(0);
      expect(deploy.stdout + deploy.stderr).toContain(said);
    });
  });

  test('a destroy leaves nothing there but the data', async () => {
    await project.destroy();

    expect(await engine.containers()).toEqual([]);
    expect(await engine.volumes()).toEqual(DEV.dataVolumes.map((volume) => `remote-${volume}`).sort());
  });

  test('sshd, with the limits that it has by itself, never dropped a connection', () => {
    const use = useOf(sshd.log);

    // What a reader of the log does not understand would count as nothing.
    expect(use.logins).toBeGreaterThan(50);
    // Whoever is dropped tries again and gets through; on a machine with much other work that happens, and is told here.
    expect(use.dropped, 'connections that sshd dropped, as it does on a busy machine').toBe(0);
    console.info(`${use.logins} logins, at most ${use.connections} connections at once`);
  });
}
