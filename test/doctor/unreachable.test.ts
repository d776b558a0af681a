import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Environment } from '../../config/environment.js';
import { diagnose } from '../../src/doctor/diagnose.js';
import type { Finding } from '../../src/doctor/finding.js';
import { gatherEvidence } from '../../src/doctor/gather.js';
import { seeUnreachable } from '../../src/doctor/unreachable.js';
import { RagdockError } from '../../src/errors/problem.js';
import { devWith } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';

/** An environment whose engine is at this address. */
const onEngine = (environment: Environment, docker: string): Environment => ({
  ...environment,
  settings: { ...environment.settings, host: { ...environment.settings.host, docker } },
});

/** What the doctor says of an engine at this address. */
async function findingAt(address: string, patienceMs = 300): Promise<Finding> {
  const environment = onEngine(devWith(), address);
  const options = { secrets: [], signal: new AbortController().signal };
  const findings = diagnose(await gatherEvidence(environment, options, { patienceMs }));
  expect(findings).toHaveLength(1);
  return findings[0] as Finding;
}

test('a socket that is not there', async () => {
  const path = join(temporaryFolder(), 'none.sock');

  expect(await findingAt(`unix://${path}`)).toMatchObject({
    id: 'engine-unreachable',
    severity: 'broken',
    evidence: [expect.stringContaining(`unix://${path} cannot be used`), `ls -ln ${path}: ENOENT`],
    meaning: expect.stringContaining('There is no socket'),
    remedy: expect.stringContaining('systemctl start docker'),
  });
});

test('a socket behind which nobody is', async () => {
  const path = join(temporaryFolder(), 'dead.sock');
  writeFileSync(path, '');
  const finding = await findingAt(`unix://${path}`);

  expect(finding.meaning).toContain('Nobody listens there');
  expect(finding.evidence[1]).toMatch(/^ls -ln .*dead\.sock: no socket, mode 0644, owner \d+:\d+$/);
});

test('an engine that takes the connection and says nothing', async () => {
  const path = join(temporaryFolder(), 'silent.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const finding = await findingAt(`unix://${path}`);

  expect(finding.meaning).toContain('Nothing answers');
  expect(finding.evidence[1]).toMatch(/: a socket, mode/);
});

test('a machine that no name server knows', async () => {
  expect((await findingAt('tcp://no-such-machine.invalid:2375', 5000)).meaning).toContain('No name server knows');
});

test('a machine on which nobody listens', async () => {
  expect((await findingAt('tcp://127.0.0.1:1')).meaning).toContain('Nobody listens there');
});

/** Root may use every socket: what another user meets is what the client says then. */
test('a socket that this user may not use', async () => {
  const path = join(temporaryFolder(), 'closed.sock');
  writeFileSync(path, '');
  chmodSync(path, 0o660);
  const cause = Object.assign(new Error(`connect EACCES ${path}`), { code: 'EACCES', syscall: 'connect' });
  const message = `the Docker engine at unix://${path} cannot be used: ${cause.message}`;
  const error = new RagdockError({ code: 'ENGINE_UNREACHABLE', message }, { cause });

  expect(await seeUnreachable(`unix://${path}`, error)).toMatchObject({
    evidence: [message, expect.stringContaining('mode 0660')],
    meaning: expect.stringContaining('may not use its socket'),
    remedy: expect.stringContaining('usermod -aG docker'),
  });
});

/** In the words of OpenSSH 9.2; `test:ssh` meets the real ones. */
test.each([
  ['Host key verification failed.', 'not the one that ssh knows'],
  ['user@host: Permission denied (publickey).', 'lets nobody in'],
  ['ssh: Could not resolve hostname host: Name or service not known', 'No name server knows'],
  ['ssh: connect to host host port 22: Connection timed out', 'Nothing answers'],
])('ssh that says: %s', async (said, meaning) => {
  const message = `the Docker engine at ssh://user@host cannot be used: ${said}`;
  const remedy = 'what the connection’s own advice is';
  const error = new RagdockError({ code: 'ENGINE_UNREACHABLE', message, remedy }, { cause: new Error(said) });

  expect(await seeUnreachable('ssh://user@host', error)).toMatchObject({
    evidence: [message],
    meaning: expect.stringContaining(meaning),
    remedy,
  });
});

test('what is wrong with the lock file is told all the same', async () => {
  const described = onEngine({ ...devWith(), lock: undefined }, 'unix:///none.sock');
  const options = { secrets: [], signal: new AbortController().signal };

  expect(diagnose(await gatherEvidence(described, options, {})).map(({ id }) => id)).toEqual([
    'engine-unreachable',
    'lock-stale',
  ]);
});

test('an interrupted look is no finding', async () => {
  const ended = AbortSignal.abort(new Error('interrupted'));
  const look = gatherEvidence(devWith(), { secrets: [], signal: ended }, { signal: ended });

  await expect(look).rejects.toThrow('interrupted');
});
