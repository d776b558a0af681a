import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeEnvironment } from '../../deploy/support/clean.js';
import { answerShortly } from '../../deploy/support/dev.js';
import { requireTestHost } from '../../deploy/support/global-setup.js';
import { copyProject, modelFile } from '../../deploy/support/project.js';
import { devOn } from './dev-on.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the engine's socket. */
    socket: string;
  }
}

/** A project whose dev is on the engine of RAGDOCK_ENGINE_SOCKET, which has nothing of it yet. */
export default async function setup(vitest: TestProject): Promise<() => Promise<void>> {
  requireTestHost();
  const socket = process.env.RAGDOCK_ENGINE_SOCKET;
  if (!socket) throw new Error('There is no engine to try: run this suite with `npm run test:engines`.');
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-engines-'));
  copyProject(folder);
  const { engine, project } = devOn(socket, folder, '');
  project.setSetting(['host', 'docker'], `unix://${socket}`);
  answerShortly(project);
  await removeEnvironment(engine);
  vitest.provide('project', folder);
  vitest.provide('modelFile', modelFile());
  vitest.provide('socket', socket);
  return async () => {
    if (process.env.RAGDOCK_KEEP_STACK) return;
    await removeEnvironment(engine);
    rmSync(folder, { recursive: true });
  };
}
