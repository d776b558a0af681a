import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './environments.js';
import { type Ended, run } from './run.js';

/** What the app is made of. The packages are linked, for they are no part of the project. */
const SOURCES = ['config', 'constructs', 'dashboards', 'stacks', 'src', 'package.json', 'tsconfig.json', 'cdktf.json'];

/** Put a copy of the project, with the bundled apps as they were built, into a folder that does not exist yet. */
export function copyProject(folder: string): void {
  for (const part of [...SOURCES, 'dist/apps']) {
    mkdirSync(dirname(join(folder, part)), { recursive: true });
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

/** Run the cdktf app of a project as `cdktf synth` does, and wait for its end. */
export function runApp(folder: string, environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return inProject(folder, ['node', '--import', 'tsx', 'src/main.ts'], environment);
}

/** Run a command in a project's folder. What the caller's environment says about cdktf and ragdock is left out. */
export function inProject(
  folder: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env;
  return run(command, { cwd: folder, env: { PATH, HOME, ...environment }, timeoutSeconds: 120 });
}
