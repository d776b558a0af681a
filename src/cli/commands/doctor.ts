import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';

interface Options {
  readonly json?: true;
}

/** `ragdock doctor`: what is wrong with a stack, and what to do. */
export function registerDoctor(program: RagdockCommand, io: Io): void {
  program
    .command('doctor')
    .summary('say what is wrong, and what to do')
    .description(
      'look at engine, containers, logs and environment file, and say what is wrong with what to do, the likeliest cause first; only reads; exit 0 or 1',
    )
    .argument('<env>', 'name or file of the environment')
    .option('--json', 'the findings as JSON on stdout')
    .example('ragdock doctor dev', 'after a failed deploy or red smoke tests')
    .action((env: string, options: Options) => doctor(env, options, io));
}

async function doctor(env: string, options: Options, io: Io): Promise<void> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const { collectEvidence } = await import('../../doctor/collect.js');
  const { diagnose } = await import('../../doctor/diagnose.js');
  const { describeFindings, formatFindings } = await import('../../doctor/text.js');
  const { RagdockError } = await import('../../errors/problem.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { storedValues } = await import('../../secrets/stored-values.js');

  const environment = loadEnvironment(env, { cwd: io.cwd });
  const { name, settings } = environment;
  const { signal } = io;
  const engine = { certPath: io.env.DOCKER_CERT_PATH, signal };
  const evidence = await withEngine(settings.host.docker, engine, (docker) =>
    collectEvidence(docker, environment, { secrets: storedValues(io.cwd, name), signal }),
  );
  const findings = diagnose(evidence);
  if (options.json) io.stdout.write(`${JSON.stringify({ schema: 1, environment: name, findings }, null, 2)}\n`);
  else io.stdout.write(formatFindings(name, findings, (style, text) => paint(io.stdout, style, text)));
  if (findings.length > 0)
    throw new RagdockError({ code: 'DOCTOR_FOUND', path: name, message: describeFindings(findings) });
}
