import { describe, expect, test } from 'vitest';
import type { Deployment } from '../deployment.js';
import { until } from '../poll.js';

/** A plan stays empty whatever is restarted. */
export function secondPlan({ name, description, project, engine }: Deployment): void {
  describe(`the plan of ${name} is empty`, () => {
    test.each(description.services)('after a restart of %s', async (service) => {
      await engine.containerOf(service).restart();

      const { code, stdout } = await project.plan();
      expect(code, stdout).toBe(0);
    });
  });
}

/** Everything comes back after a restart of the engine. @param restart returns when the old engine is gone */
export function engineRestart({ name, project, engine, ask }: Deployment, restart: () => void | Promise<void>): void {
  test(`after a restart of the engine everything of ${name} comes back, and the plan is empty`, async () => {
    await restart();
    await until('the engine answers', async () => {
      await engine.docker.ping();
      return true;
    });
    await engine.allHealthy();

    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
    expect((await ask()).chunks.length).toBeGreaterThan(1);
  });
}
