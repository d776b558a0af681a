import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';

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
export function hostScript(name: 'model' | 'vllm-model' | 'daemon' | 'setup', ...args: readonly string[]): string {
  return execFileSync(join(CHECKOUT, 'test/host', name), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Path of the GGUF file that the test host holds. */
export const modelFile = (): string => hostScript('model').trim().split('\n').at(-1) ?? '';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How commands are run. */
export interface Commands {
  /** What stands before each command line, such as `unshare --mount`. @default - nothing */
  readonly prefix?: readonly string[];
  /** Variables beside this process's own; undefined takes one away. @default - none */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface RunOptions {
  /** @default - the folder of this process, or that of the project */
  readonly cwd?: string;
  /** Variables beside this process's own; undefined takes one away. @default - none */
  readonly env?: Commands['env'];
}

/** Run a command, as a user would type it, however it ends. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd: options.cwd,
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
export async function succeed(command: string, args: readonly string[], options?: RunOptions): Promise<Outcome> {
  return successOf(await run(command, args, options), command, args);
}

function successOf(outcome: Outcome, command: string, args: readonly string[]): Outcome {
  if (outcome.code === 0) return outcome;
  throw new Error(`${command} ${args.join(' ')} ended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
}

/** A copy of the project, in which commands are run as a user of one of its environments types them. */
export class Project {
  /** @param folder a copy that {@link copyProject} has made */
  constructor(
    readonly folder: string,
    readonly environment: string,
    readonly commands: Commands = {},
  ) {}

  readonly run = (command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> => {
    const [program = command, ...rest] = [...(this.commands.prefix ?? []), command, ...args];
    return run(program, rest, {
      cwd: options.cwd ?? this.folder,
      env: { ...this.commands.env, ...options.env },
    });
  };

  /** Run a command that has to succeed. */
  readonly succeed: Project['run'] = async (command, args, options) =>
    successOf(await this.run(command, args, options), command, args);

  /** `npx ragdock ARGS`, which has to succeed. */
  readonly ragdock = (...args: readonly string[]): Promise<Outcome> => this.succeed('npx', ['ragdock', ...args]);

  /** `npx ragdock ARGS`, however it ends. */
  readonly tryRagdock = (...args: readonly string[]): Promise<Outcome> => this.run('npx', ['ragdock', ...args]);

  readonly deploy = (): Promise<Outcome> => this.succeed('npx', this.#cdktf('deploy'));

  /** A deploy, however it ends. */
  readonly tryDeploy = (): Promise<Outcome> => this.run('npx', this.#cdktf('deploy'));

  readonly destroy = (): Promise<Outcome> => this.succeed('npx', this.#cdktf('destroy'));

  /** `terraform plan -detailed-exitcode`: 0 nothing to do, 2 changes. The text is in the outcome. */
  readonly plan = (...args: readonly string[]): Promise<Outcome> =>
    this.run('terraform', ['plan', '-detailed-exitcode', '-input=false', '-no-color', ...args], {
      cwd: this.#stackFolder,
    });

  readonly terraform = (...args: readonly string[]): Promise<Outcome> =>
    this.succeed('terraform', args, { cwd: this.#stackFolder });

  /** Set one value of the environment file, as `setSetting(['services', 'postgres', 'memory'], '2GiB')`. */
  readonly setSetting = (path: readonly string[], value: unknown): void => {
    const document = parseDocument(readFileSync(this.environmentFile, 'utf8'));
    document.setIn(path, document.createNode(value));
    writeFileSync(this.environmentFile, document.toString());
  };

  get environmentFile(): string {
    return join(this.folder, `config/environments/${this.environment}.yaml`);
  }

  get stateFile(): string {
    return join(this.folder, `state/${this.environment}.tfstate`);
  }

  get lockFile(): string {
    return join(this.folder, `config/environments/${this.environment}.lock.yaml`);
  }

  get secretsFolder(): string {
    return join(this.folder, '.ragdock/secrets', this.environment);
  }

  get #stackFolder(): string {
    return join(this.folder, 'cdktf.out/stacks', this.environment);
  }

  #cdktf(command: 'deploy' | 'destroy'): readonly string[] {
    return ['cdktf', command, this.environment, '--auto-approve', '--skip-provider-lock'];
  }
}
