import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';

interface Options {
  readonly json?: true;
  readonly bundle?: string;
  readonly allowUnmasked?: true;
}

/** `ragdock doctor`: what is wrong with a stack, and what to do. */
export function registerDoctor(program: RagdockCommand, io: Io): void {
  program
    .command('doctor')
    .summary('say what is wrong, and what to do')
    .description(
      'look at engine, containers, logs, state and lock file, and say what is wrong with what to do, the likeliest cause first; only reads; exit 0, or 1 when something is broken',
    )
    .argument('<env>', 'name or file of the environment')
    .option('--json', 'the findings as JSON on stdout')
    .option('--bundle <file>', 'write what was seen, with logs, masked, into this .tgz for somebody who helps')
    .option(
      '--allow-unmasked',
      'show lines of logs, and write the bundle, although not every secret can be known, and so not masked',
    )
    .example('ragdock doctor dev', 'after a failed deploy or red smoke tests')
    .example('ragdock doctor dev --bundle dev-doctor.tgz', 'and a file to send to somebody')
    .example('ragdock doctor dev --json', 'for scripts; docs/doctor.schema.json says what is in it')
    .action((env: string, options: Options) => doctor(env, options, io, program.version() ?? ''));
}

async function doctor(env: string, options: Options, io: Io, version: string): Promise<void> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const { diagnose } = await import('../../doctor/diagnose.js');
  const { gatherEvidence } = await import('../../doctor/gather.js');
  const { doctorReport } = await import('../../doctor/report.js');
  const { describeFindings, formatBundle, formatFindings } = await import('../../doctor/text.js');
  const { unknownSecrets } = await import('../../doctor/unknown-secrets.js');
  const { writeBundle } = await import('../../doctor/write-bundle.js');
  const { RagdockError } = await import('../../errors/problem.js');
  const { storedValues } = await import('../../secrets/stored-values.js');

  const environment = loadEnvironment(env, { cwd: io.cwd });
  const { name } = environment;
  const { signal, cwd: project } = io;
  const secrets = storedValues(project, name);
  const { allowUnmasked = false } = options;
  const unknown = allowUnmasked ? [] : unknownSecrets(environment, project);
  const engine = { certPath: io.env.DOCKER_CERT_PATH, signal };
  const evidence = await gatherEvidence(environment, { secrets, unknownSecrets: unknown, signal, project }, engine);
  const findings = diagnose(evidence);
  const report = doctorReport(evidence, findings);
  if (options.json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else io.stdout.write(formatFindings(name, findings, (style, text) => paint(io.stdout, style, text)));
  if (options.bundle !== undefined) {
    const { bundle: file } = options;
    const written = await writeBundle({
      environment,
      project,
      file,
      version,
      allowUnmasked,
      evidence,
      findings,
      secrets,
    });
    // The findings as data have stdout for themselves.
    (options.json ? io.stderr : io.stdout).write(formatBundle(file, written));
  }
  if (!report.ok) throw new RagdockError({ code: 'DOCTOR_FOUND', path: name, message: describeFindings(findings) });
}
