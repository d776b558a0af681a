import { expect, test } from 'vitest';
import { allHealthy, containerOf, docker, SERVICES, until } from './support/engine.js';
import { hostScript, plan } from './support/project.js';
import { ask } from './support/stack.js';

test.each(SERVICES)('after a restart of %s the plan is empty', async (service) => {
  await containerOf(service).restart();

  const { code, stdout } = await plan();
  expect(code, stdout).toBe(0);
});

test('after a restart of the engine everything comes back, and the plan is empty', async () => {
  hostScript('daemon', 'restart');
  await until('the engine answers', async () => {
    await docker.ping();
    return true;
  });
  await allHealthy();

  const { code, stdout } = await plan();
  expect(code, stdout).toBe(0);
  expect((await ask()).chunks.length).toBeGreaterThan(1);
});
