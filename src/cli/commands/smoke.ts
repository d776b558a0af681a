import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { CheckResult } from '../../apps/operator/smoke/protocol.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';

interface Options {
  readonly json?: string;
  readonly junit?: string;
  readonly timeout: number;
}

const DEFAULT_TIMEOUT_SECONDS = 300;

/** `ragdock smoke`: whether a running stack answers. */
export function registerSmoke(program: RagdockCommand, io: Io): void {
  program
    .command('smoke')
    .summary('check every service, then the whole path')
    .description('ask every service of a running stack by its own protocol, then the whole path; exit 0 or 1')
    .argument('<env>', 'name or file of the environment')
    .option('--json <file>', 'write the report as JSON into this file; - is stdout')
    .option('--junit <file>', 'write the report as JUnit XML into this file')
    .option('--timeout <seconds>', 'longest time for all checks together', seconds, DEFAULT_TIMEOUT_SECONDS)
    .example('ragdock smoke dev', 'the gate behind a deploy')
    .example('ragdock smoke dev --junit smoke.xml --timeout 600', 'in CI')
    .action((env: string, options: Options) => smoke(env, options, io));
}

async function smoke(env: string, options: Options, io: Io): Promise<void> {
  const { RagdockError } = await import('../../errors/problem.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { describeStack } = await import('../../operator/stack.js');
  const { StatusLine } = await import('../../operator/status-line.js');
  const { formatJunit } = await import('../../smoke/junit.js');
  const { storedValues } = await import('../../secrets/stored-values.js');
  const { runSmoke } = await import('../../smoke/run.js');
  const { describeFailure, formatCheck, formatSummary } = await import('../../smoke/text.js');

  const stack = describeStack(env, io.cwd);
  const { environment } = stack;
  // The report as data has stdout for itself.
  const output = options.json === '-' ? io.stderr : io.stdout;
  const status = new StatusLine(io.stderr);
  const told = new Map<string, string>();
  const onCheck = (result: CheckResult) => {
    status.clear();
    output.write(`${formatCheck(result, (style, text) => paint(output, style, text))}\n`);
  };
  const onWaiting = (waiting: ReadonlyMap<string, string>) => {
    if (io.stderr.isTTY) {
      const services = [...waiting].map(([service, came]) => `${service} (${came})`);
      if (services.length === 0) status.clear();
      else status.show(`waiting for ${services.join(', ')}`);
      return;
    }
    for (const [service, came] of waiting) {
      if (told.get(service) === came) continue;
      told.set(service, came);
      output.write(`waiting  ${service.padEnd(18)}  ${came}\n`);
    }
  };
  const report = await withEngine(environment.settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
    runSmoke(docker, stack, {
      timeoutSeconds: options.timeout,
      signal: io.signal,
      // A machine that only asks needs to have none.
      secrets: storedValues(io.cwd, environment.name),
      onCheck,
      onWaiting,
    }),
  ).finally(() => status.clear());

  output.write(`\n${formatSummary(report, (style, text) => paint(output, style, text))}`);
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (options.json === '-') io.stdout.write(json);
  else if (options.json !== undefined) writeFileSync(resolve(io.cwd, options.json), json);
  if (options.junit !== undefined) writeFileSync(resolve(io.cwd, options.junit), formatJunit(report));
  if (!report.ok) throw new RagdockError({ code: 'SMOKE_FAILED', message: describeFailure(report) });
}

function seconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of seconds, 1 to 999999');
}
