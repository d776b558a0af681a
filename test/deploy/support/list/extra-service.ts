import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { IMAGES } from '../../../../constructs/images.js';
import type { Deployment } from '../deployment.js';
import { until } from '../poll.js';

/** Exits 0 when Qdrant lists its collections to whoever holds the key that the connection brought. */
const PROBE =
  "fetch(process.env.QDRANT_URL + '/collections', { headers: { 'api-key': require('fs').readFileSync(process.env.QDRANT_KEY_FILE, 'utf8') } })" +
  '.then((answer) => process.exit(answer.status === 200 ? 0 : 1), () => process.exit(1))';

const WATCHER = {
  image: IMAGES.node,
  command: ['node', '-e', 'setInterval(() => {}, 1000)'],
  connections: { qdrant: { url: 'QDRANT_URL', credential: 'QDRANT_KEY_FILE' } },
  healthCheck: ['node', '-e', PROBE],
};

/** A container that is not ragdock's own joins the stack. */
export function extraService({ name, project, engine }: Deployment): void {
  test(`an extra service of ${name} needs a promise, then joins the stack and reaches what it was connected to`, async () => {
    // GIVEN an environment file with a container that is not ragdock's own
    project.setSetting(['extraServices', 'watcher'], WATCHER);
    const networks = readFileSync(project.lockFile, 'utf8').match(/^ {2}.*\/29$/gm) ?? [];

    // WHEN it is deployed without a network for the connection THEN nothing is started
    const refused = await project.tryDeploy();
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain('LOCK_STALE');

    // WHEN the lock promises one THEN no other network is renumbered
    await project.ragdock('lock', name);
    expect(readFileSync(project.lockFile, 'utf8').match(/^ {2}.*\/29$/gm)).toEqual(expect.arrayContaining(networks));

    // AND the service is healthy, which it is when Qdrant accepts its key
    const before = await engine.containerIds();
    await project.deploy();
    await until('watcher is healthy', async () => {
      const { State } = await engine.containerOf('watcher').inspect();
      return State.Health?.Status === 'healthy';
    });
    await engine.allHealthy();

    // AND only the server that it joined was replaced
    const after = await engine.containerIds();
    const replaced = Object.entries(before).filter(([service, id]) => after[service] !== id);
    expect(replaced.map(([service]) => service)).toEqual(['qdrant']);
    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
  });
}
