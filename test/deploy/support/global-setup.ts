import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeEnvironment } from './clean.js';
import { devIn } from './dev.js';
import { docker } from './engine.js';
import { copyProject, hostScript, modelFile } from './project.js';
import { prodIn, saigaIn } from './stacks.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A copy of the project in which the suite works, so that no file of the checkout changes. */
    project: string;
    /** The GGUF file that the test host holds. */
    modelFile: string;
  }
}

/** The suite starts from nothing: no container, network, volume, state or secret of the environment. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  requireTestHost();
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-deploy-'));
  const deployments = [devIn(folder, ''), saigaIn(folder), prodIn(folder)];
  const environments = deployments.map(({ engine }) => engine);
  await docker.ping().catch((cause) => {
    throw new Error('The Docker engine does not answer; start it with test/host/setup.', { cause });
  });
  copyProject(folder);
  const beside = process.env.RAGDOCK_ENGINE_SOCKET;
  if (beside) for (const { project: own } of deployments) own.setSetting(['host', 'docker'], `unix://${beside}`);
  for (const environment of environments) await removeEnvironment(environment);
  project.provide('project', folder);
  project.provide('modelFile', modelFile());
  return async () => {
    if (process.env.RAGDOCK_KEEP_STACK) return;
    for (const environment of environments) await removeEnvironment(environment);
    rmSync(folder, { recursive: true });
    // The host is left as its setup leaves it: ready for a deploy.
    if (!beside) hostScript('setup');
  };
}

/** Throws unless this machine was made a test host. */
export function requireTestHost(): void {
  const cache = process.env.RAGDOCK_CACHE ?? '/var/cache/ragdock';
  if (existsSync(join(cache, 'test-host'))) return;
  throw new Error(
    'This suite deploys to the Docker engine of this machine and deletes the data of its environments. ' +
      'It runs on a test host only: make one with test/host/setup.',
  );
}
