import { relative, sep } from 'node:path';
import type { Environment } from '../config/environment.js';
import { loadEnvironment, loadEnvironments } from '../config/load.js';
import { checkLock } from '../config/lock.js';
import { App } from '../constructs/tf.js';
import { promisesOf } from '../stacks/promises.js';
import { RagStack } from '../stacks/rag-stack.js';
import { type Bundle, readBundle } from './apps/bundle.js';
import { throwProblems } from './errors/problem.js';

/** From a stack's output folder, cdktf.out/stacks/NAME, to the project's folder. */
const PROJECT_FROM_STACK = '../../..';

/** What is synthesised, and where to. */
export interface SynthOptions {
  /** The project's folder: it holds config/environments. */
  readonly cwd: string;
  /** Name of the one environment to take. @default - all of them */
  readonly only?: string | undefined;
  /** Where the stacks go. @default - what cdktf says: cdktf.out below the current folder */
  readonly outdir?: string;
  /** The bundled apps. @default - those of this package, built and as new as their sources */
  readonly bundle?: Bundle;
}

/** Read, check and write every environment as a Terraform stack. Throws every problem of all of them at once. */
export function synthesise(options: SynthOptions): readonly Environment[] {
  const { cwd, only } = options;
  const environments = only === undefined ? loadEnvironments({ cwd }) : [loadEnvironment(only, { cwd })];
  throwProblems(
    environments.flatMap((environment) => checkLock(environment, promisesOf(environment.settings, environment.name))),
  );
  const bundle = options.bundle ?? readBundle();
  const context = `${PROJECT_FROM_STACK}/${relative(cwd, bundle.context).split(sep).join('/')}`;
  const app = new App(options.outdir === undefined ? {} : { outdir: options.outdir });
  for (const environment of environments) {
    new RagStack(app, environment, { bundle: { context, hash: bundle.hash }, project: PROJECT_FROM_STACK });
  }
  app.synth();
  return environments;
}
