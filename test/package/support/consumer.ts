import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { ROOT } from '../../support/environments.js';
import { type Synthesised, view } from '../../support/synth.js';
import { succeed } from './succeed.js';

/** A project of somebody else, outside of the checkout, with an environment `dev`. */
export interface Consumer {
  readonly folder: string;
  /** Run a command in its folder and give its output; fails when the command does. */
  run(...command: string[]): Promise<string>;
  /** `npm install` of what its package.json asks for, without running scripts of packages: none is needed. */
  install(...options: string[]): Promise<void>;
  /** Run a module of it, and give the stack that it synthesises. */
  synthesise(module: string, stack: string): Promise<Synthesised>;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

/**
 * Make a project in an empty folder, which is gone after the tests of the file.
 *
 * @param manifest its package.json; `ragdock` among its dependencies becomes the packed package
 */
export function makeConsumer(manifest: Manifest): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-consumer-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const dependencies = { ...manifest.dependencies, ragdock: `file:${inject('tarball')}` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', ...manifest, dependencies }));
  for (const file of ['dev.yaml', 'dev.lock.yaml']) {
    mkdirSync(join(folder, 'config/environments'), { recursive: true });
    cpSync(join(ROOT, 'config/environments', file), join(folder, 'config/environments', file));
  }
  const run = (...command: string[]) => succeed(command, folder);
  return {
    folder,
    run,
    install: async (...options) => {
      await run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...options);
    },
    synthesise: async (module, stack) => {
      await run('node', module);
      return view(JSON.parse(readFileSync(join(folder, 'cdktf.out/stacks', stack, 'cdk.tf.json'), 'utf8')));
    },
  };
}
