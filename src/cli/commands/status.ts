import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';

interface Options {
  readonly json?: true;
}

/** `ragdock status`: what of an environment runs. */
export function registerStatus(program: RagdockCommand, io: Io): void {
  program
    .command('status')
    .summary('show what runs, since when, and how it is')
    .description(
      'show what of an environment runs, how it is, and where it differs from its files; only reads; exit 0 or 1',
    )
    .argument('<env>', 'name or file of the environment')
    .option('--json', 'the report as JSON on stdout')
    .example('ragdock status dev', 'a table, with what is wrong below each line')
    .example('ragdock status dev --json', 'for scripts; docs/status.schema.json says what is in it')
    .action((env: string, options: Options) => status(env, options, io));
}

async function status(env: string, options: Options, io: Io): Promise<void> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const { RagdockError } = await import('../../errors/problem.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { storedValues } = await import('../../secrets/stored-values.js');
  const { readStatus } = await import('../../status/read.js');
  const { describeUnhealthy, formatStatus } = await import('../../status/text.js');

  const environment = loadEnvironment(env, { cwd: io.cwd });
  const { name, settings } = environment;
  const { signal } = io;
  const engine = { certPath: io.env.DOCKER_CERT_PATH, signal };
  const report = await withEngine(settings.host.docker, engine, (docker) =>
    readStatus(docker, environment, { secrets: storedValues(io.cwd, name), signal }),
  );
  if (options.json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else io.stdout.write(formatStatus(report, (style, text) => paint(io.stdout, style, text)));
  if (!report.ok) throw new RagdockError({ code: 'STATUS_UNHEALTHY', path: name, message: describeUnhealthy(report) });
}
