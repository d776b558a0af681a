import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyProject, type Outcome, run, succeed } from './project.js';

/** One machine's checkout of a project. */
export class Clone {
  /**
   * @param folder where it is
   * @param environment name of the environment that its commands are for
   * @param variables environment variables of its commands
   */
  constructor(
    readonly folder: string,
    readonly environment: string,
    readonly variables: Readonly<Record<string, string>>,
  ) {}

  /** Run a command of the project, whatever comes of it. */
  run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return run(command, args, { cwd: this.folder, env: { ...this.variables, ...env } });
  }

  async git(...args: readonly string[]): Promise<void> {
    await succeed('git', ['-c', 'user.name=suite', '-c', 'user.email=suite@localhost', ...args], { cwd: this.folder });
  }

  ragdock(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.run('npx', ['ragdock', ...args], env);
  }

  deploy(env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.run('npx', ['cdktf', 'deploy', this.environment, '--auto-approve', '--skip-provider-lock'], env);
  }

  /** `terraform plan` of what was synthesised last, without secrets: exit code 0 nothing to do, 2 changes. */
  planWithoutSecrets(): Promise<Outcome> {
    const args = ['plan', '-detailed-exitcode', '-input=false', '-no-color', '-var', 'plan_without_secrets=true'];
    return run('terraform', args, { cwd: this.stack, env: this.variables });
  }

  succeed(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return succeed(command, args, { cwd: this.folder, env: { ...this.variables, ...env } });
  }

  get stack(): string {
    return join(this.folder, 'cdktf.out/stacks', this.environment);
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** Change the text of a file, commit and push it. */
  async change(file: string, from: string, to: string): Promise<void> {
    const text = readFileSync(this.path(file), 'utf8');
    if (!text.includes(from)) throw new Error(`nothing in ${file} is ${from}`);
    this.write(
      file,
      text.replace(from, () => to),
    );
    await this.publish(`Change ${file}`);
  }

  async publish(message: string): Promise<void> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', message);
    await this.git('push', '--quiet', 'origin', 'HEAD:main');
  }
}

/** A copy of the project with one environment of its own, committed, and pushed to a repository beside it. */
export async function firstClone(
  root: string,
  environment: string,
  variables: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
): Promise<Clone> {
  const clone = new Clone(join(root, 'first'), environment, { ...variables, RAGDOCK_ENV: environment });
  copyProject(clone.folder);
  for (const file of ['dev.yaml', 'dev.lock.yaml']) rmSync(clone.path('config/environments', file));
  for (const [file, text] of Object.entries(files)) clone.write(file, text);
  await succeed('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(root, 'origin.git')]);
  await clone.git('init', '--quiet', '--initial-branch=main');
  // `node_modules/` in .gitignore means a folder, and here it is a link.
  clone.write('.git/info/exclude', 'node_modules\n');
  await clone.git('remote', 'add', 'origin', join(root, 'origin.git'));
  return clone;
}

/** What another machine has: what was pushed, and the packages and the build that `npm ci` makes. */
export async function nextClone(root: string, first: Clone): Promise<Clone> {
  const clone = new Clone(join(root, 'second'), first.environment, first.variables);
  await succeed('git', ['clone', '--quiet', join(root, 'origin.git'), clone.folder]);
  symlinkSync(first.path('node_modules'), clone.path('node_modules'));
  cpSync(first.path('dist'), clone.path('dist'), { recursive: true });
  clone.write('.git/info/exclude', 'node_modules\n');
  return clone;
}
