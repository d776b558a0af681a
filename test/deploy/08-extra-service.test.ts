import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { IMAGES } from '../../constructs/images.js';
import { allHealthy, containerIds, containerOf, until } from './support/engine.js';
import { deploy, editEnvironment, plan, ragdock, run } from './support/project.js';

/** Exits 0 when Qdrant lists its collections to whoever holds the key that the connection brought. */
const PROBE =
  "fetch(process.env.QDRANT_URL + '/collections', { headers: { 'api-key': require('fs').readFileSync(process.env.QDRANT_KEY_FILE, 'utf8') } })" +
  '.then((answer) => process.exit(answer.status === 200 ? 0 : 1), () => process.exit(1))';

const EXTRA_SERVICE = `
extraServices:
  watcher:
    image: ${IMAGES.node}
    command: [node, -e, 'setInterval(() => {}, 1000)']
    connections:
      qdrant: { url: QDRANT_URL, credential: QDRANT_KEY_FILE }
    healthCheck:
      - node
      - -e
      - ${JSON.stringify(PROBE)}
`;

test('an extra service needs a promise, then joins the stack and reaches what it was connected to', async () => {
  // GIVEN an environment file with a container that is not ragdock's own
  editEnvironment(/$/, EXTRA_SERVICE);
  const lock = join(inject('project'), 'config/environments/dev.lock.yaml');
  const networks = readFileSync(lock, 'utf8').match(/^ {2}.*\/29$/gm) ?? [];

  // WHEN it is deployed without a network for the connection THEN nothing is started
  const refused = await run('npx', ['cdktf', 'deploy', 'dev', '--auto-approve', '--skip-provider-lock']);
  expect(refused.code).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain('LOCK_STALE');

  // WHEN the lock promises one THEN no other network is renumbered
  await ragdock('lock', 'dev');
  expect(readFileSync(lock, 'utf8').match(/^ {2}.*\/29$/gm)).toEqual(expect.arrayContaining(networks));

  // AND the service is healthy, which it is when Qdrant accepts its key
  const before = await containerIds();
  await deploy();
  await until('watcher is healthy', async () => {
    const { State } = await containerOf('watcher').inspect();
    return State.Health?.Status === 'healthy';
  });
  await allHealthy();

  // AND only the server that it joined was replaced
  const after = await containerIds();
  const replaced = Object.entries(before).filter(([service, id]) => after[service as keyof typeof after] !== id);
  expect(replaced.map(([service]) => service)).toEqual(['qdrant']);
  const { code, stdout } = await plan();
  expect(code, stdout).toBe(0);
});
