import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeEnvironment } from './clean.js';
import { docker } from './engine.js';
import { copyProject, hostScript } from './project.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A copy of the project in which the suite works, so that no file of the checkout changes. */
    project: string;
    /** The GGUF file that the test host holds. */
    modelFile: string;
  }
}

const ENVIRONMENT = 'dev';

/** The suite starts from nothing: no container, network, volume, state or secret of the environment. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cache = process.env.RAGDOCK_CACHE ?? '/var/cache/ragdock';
  if (!existsSync(join(cache, 'test-host'))) {
    throw new Error(
      'This suite deploys to the Docker engine of this machine and deletes the data of its environment `dev`. ' +
        'It runs on a test host only: make one with test/host/setup.',
    );
  }
  await docker.ping().catch((cause) => {
    throw new Error('The Docker engine does not answer; start it with test/host/setup.', { cause });
  });
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-deploy-'));
  copyProject(folder);
  await removeEnvironment(ENVIRONMENT);
  project.provide('project', folder);
  project.provide('modelFile', hostScript('model').trim().split('\n').at(-1) ?? '');
  return async () => {
    if (process.env.RAGDOCK_KEEP_STACK) return;
    await removeEnvironment(ENVIRONMENT);
    rmSync(folder, { recursive: true });
    // The host is left as its setup leaves it: ready for a deploy.
    hostScript('setup');
  };
}
