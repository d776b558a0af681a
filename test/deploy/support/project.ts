import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const CHECKOUT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Copy what git would commit, and what the build made; dependencies are shared. */
export function copyProject(folder: string): void {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: CHECKOUT })
    .toString()
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(CHECKOUT, file)));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(CHECKOUT, file), join(folder, file));
  }
  cpSync(join(CHECKOUT, 'dist'), join(folder, 'dist'), { recursive: true });
  symlinkSync(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
}

/** Run one of the test host's scripts and give back what it printed. */
export function hostScript(name: 'model' | 'daemon' | 'setup', ...args: readonly string[]): string {
  return execFileSync(join(CHECKOUT, 'test/host', name), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** @default - the suite's project */
  readonly cwd?: string;
  /** Environment variables beside those of this process. @default - none */
  readonly env?: Readonly<Record<string, string>>;
}

/** Run a command in the suite's project, as a user would type it. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? inject('project'),
    env: { ...process.env, CHECKPOINT_DISABLE: '1', NO_COLOR: '1', FORCE_COLOR: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  return { code, stdout, stderr };
}

/** Run a command that has to succeed. */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await run(command, args, options);
  if (outcome.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
  }
  return outcome;
}

export const ragdock = (...args: readonly string[]): Promise<Outcome> => succeed('npx', ['ragdock', ...args]);
export const deploy = (): Promise<Outcome> =>
  succeed('npx', ['cdktf', 'deploy', 'dev', '--auto-approve', '--skip-provider-lock']);
export const destroy = (): Promise<Outcome> =>
  succeed('npx', ['cdktf', 'destroy', 'dev', '--auto-approve', '--skip-provider-lock']);

const stackFolder = (): string => join(inject('project'), 'cdktf.out/stacks/dev');

/** `terraform plan -detailed-exitcode`: 0 nothing to do, 2 changes. The text is in the outcome. */
export const plan = (...args: readonly string[]): Promise<Outcome> =>
  run('terraform', ['plan', '-detailed-exitcode', '-input=false', '-no-color', ...args], { cwd: stackFolder() });

export const terraform = (...args: readonly string[]): Promise<Outcome> =>
  succeed('terraform', args, { cwd: stackFolder() });

/** Change the text of the environment file; fails if there is nothing to change. */
export function editEnvironment(from: string | RegExp, to: string): void {
  const file = join(inject('project'), 'config/environments/dev.yaml');
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing in ${file} matches ${from}`);
  writeFileSync(file, changed);
}
