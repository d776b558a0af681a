import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NewEnvironment } from '../../init/new-environment.js';
import type { RagdockCommand } from '../command.js';
import { type Io, type Output, paint } from '../io.js';

interface Options {
  readonly course: string[];
  readonly host?: string;
}

/** `ragdock init`: a first environment file for a host, and its lock file. */
export function registerInit(program: RagdockCommand, io: Io): void {
  program
    .command('init')
    .description('make an environment for this host, and its lock file')
    .argument('<name>', 'name of the environment: it is a part of the names of its containers and volumes')
    .option('--course <name...>', 'courses that a question may be about', ['demo'])
    .option('--host <address>', 'address of the Docker engine (default: the one that `docker` uses)')
    .example('ragdock init dev', 'everything chosen for the engine of this machine')
    .example('ragdock init lab --host ssh://deploy@203.0.113.7 --course physics chemistry', 'for another machine')
    .action((name: string, options: Options) => init(name, options, io));
}

async function init(name: string, { course: courses, host }: Options, io: Io): Promise<void> {
  const { newEnvironment } = await import('../../init/new-environment.js');
  const { writeFiles } = await import('../../init/project-files.js');
  const { cwd, env, signal } = io;
  const made = await newEnvironment({ name, courses, host, cwd, env, signal });
  // An engine that was not waited for says nothing.
  signal.throwIfAborted();
  writeFiles(cwd, made.files);
  for (const { file } of made.files) io.stdout.write(`${file} written\n`);
  const { findings } = await import('../../init/findings.js');
  io.stdout.write(
    section(
      'Found',
      findings(made).map(([what, text, warn]) => row(io.stdout, what, text, warn)),
    ),
  );
  io.stdout.write(section('Next', nextCommands(made, cwd)));
}

const section = (title: string, lines: readonly string[]): string =>
  `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;

function row(output: Output, what: string, text: string, warn: boolean): string {
  return `${what.padEnd(8)}  ${warn ? paint(output, 'yellow', text) : text}`;
}

function nextCommands({ environment: { name } }: NewEnvironment, cwd: string): readonly string[] {
  return [
    ...(existsSync(join(cwd, 'node_modules/cdktf-cli')) ? [] : ['npm install cdktf-cli']),
    `npx ragdock secrets init ${name}`,
    `npx cdktf deploy ${name} --auto-approve --skip-provider-lock`,
    `npx ragdock smoke ${name}`,
  ];
}
