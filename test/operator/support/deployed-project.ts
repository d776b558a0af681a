import { describeStack } from '../../../src/operator/stack.js';
import { ragdock } from '../../cli/terminal.js';
import { MINIMAL, project, put } from '../../config/project.js';
import { engineWith } from './deployed-engine.js';
import { type Program, type ScriptedEngine, textOf } from './scripted-engine.js';

/** A project whose environment is deployed on a scripted engine. */
export async function deployedProject(
  program: Program,
  yaml = MINIMAL,
): Promise<{ cwd: string; engine: ScriptedEngine }> {
  const cwd = project({ 'dev.yaml': yaml });
  await ragdock(['lock', 'dev'], { cwd });
  const engine = await engineWith(describeStack('dev', cwd), program);
  put(cwd, 'config/environments/dev.yaml', `${yaml}host:\n  docker: ${engine.address}\n`);
  return { cwd, engine };
}

/** A session that reads all that it is told, and says these events. */
export const says =
  (...events: readonly object[]): Program =>
  async ({ stdin, stdout }) => {
    await textOf(stdin);
    for (const event of events) stdout(`${JSON.stringify(event)}\n`);
    return 0;
  };
