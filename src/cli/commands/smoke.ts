import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { SMOKE_LEVELS, type SmokeLevel } from '../../apps/operator/smoke/level.js';
import type { DescribedStack } from '../../operator/stack.js';
import type { SmokeReport } from '../../smoke/report.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';
import type { SmokeScreen } from '../smoke-screen.js';

interface Options {
  readonly level?: SmokeLevel;
  readonly json?: string;
  readonly junit?: string;
  readonly markdown?: string;
  readonly timeout?: number;
  readonly url?: ReadonlyMap<string, string>;
  readonly keyFile?: ReadonlyMap<string, string>;
  readonly question?: string;
}

/** With the time that it has, whoever said it. */
type Timed = Options & { readonly timeout: number };

/** `ragdock smoke`: whether a running stack answers. */
export function registerSmoke(program: RagdockCommand, io: Io): void {
  program
    .command('smoke')
    .summary('check every service, then the whole path')
    .description('ask every service of a running stack by its own protocol, then the whole path; exit 0 or 1')
    .argument('<env>', 'name or file of the environment')
    .addOption(
      new Option('--level <level>', 'how far to go; each level includes those before it (default: path)').choices(
        SMOKE_LEVELS,
      ),
    )
    .option('--json <file>', 'write the report as JSON into this file; - is stdout')
    .option('--junit <file>', 'write the report as JUnit XML into this file')
    .option(
      '--markdown <file>',
      'write the report as Markdown into this file; added to what is there when the file is $GITHUB_STEP_SUMMARY',
    )
    .option(
      '--timeout <seconds>',
      'longest time for all checks together (default: the longest start of a service, and 300 more)',
      seconds,
    )
    .option(
      '--url <service=url>',
      'ask this service at this address, from here and without the engine; again for each service',
      pair,
    )
    .option('--key-file <service=file>', 'with --url: file with the key of a service (default: the secrets here)', pair)
    .option('--question <question>', 'asked about what is there, in the place of a scratch document')
    .example('ragdock smoke dev', 'the gate behind a deploy')
    .example('ragdock smoke dev --junit smoke.xml --markdown smoke.md --timeout 600', 'in CI')
    .example('ragdock smoke dev --level up', 'whether everything is up, and nothing is written')
    .example(
      'ragdock smoke prod --url web-bot=https://chat.example.com --level service',
      'from outside, as users come in',
    )
    .action((env: string, options: Options) => smoke(env, options, io));
}

async function smoke(env: string, options: Options, io: Io): Promise<void> {
  const { RagdockError } = await import('../../errors/problem.js');
  const { describeStack } = await import('../../operator/stack.js');
  const { describeFailure, formatSummary } = await import('../../smoke/text.js');
  const { jsonOf } = await import('../../smoke/report.js');
  const { ReportFiles } = await import('../../smoke/files.js');
  const { timeoutOf } = await import('../../smoke/targets.js');
  const { SmokeScreen } = await import('../smoke-screen.js');

  const files = new ReportFiles(io.cwd, options, io.env.GITHUB_STEP_SUMMARY);
  // A report of an earlier run says nothing of this one, which may not even begin.
  files.clear();
  if (options.keyFile && !options.url) {
    // Inside the stack has its keys.
    const remedy = 'Name the services that are asked from here: `--url rag-api=https://…`.';
    throw new RagdockError({ code: 'USAGE', message: '--key-file without --url', remedy });
  }
  if (options.question !== undefined && options.level !== undefined && options.level !== 'path') {
    const message = `--question with --level ${options.level}, which asks none`;
    throw new RagdockError({ code: 'USAGE', message, remedy: 'Leave out one of the two.' });
  }
  const stack = describeStack(env, io.cwd);
  files.prepare();
  // The report as data has stdout for itself.
  const output = options.json === '-' ? io.stderr : io.stdout;
  const screen = new SmokeScreen(output, io.stderr, servicesOf(stack, options.url));
  const write = (report: SmokeReport) => {
    if (options.json === '-') io.stdout.write(jsonOf(report));
    files.write(report);
  };
  const given = { ...options, timeout: options.timeout ?? timeoutOf(stack) };
  const report = await (options.url
    ? fromUrls(stack, options.url, given, screen, io)
    : fromInside(stack, given, screen, io, write)
  ).finally(() => screen.end());

  output.write(`\n${formatSummary(report, (style, text) => paint(output, style, text))}`);
  write(report);
  if (!report.ok) throw new RagdockError({ code: 'SMOKE_FAILED', message: describeFailure(report) });
}

async function fromInside(
  stack: DescribedStack,
  { timeout, level, question }: Timed,
  screen: SmokeScreen,
  io: Io,
  onBrokenOff: (report: SmokeReport) => void,
): Promise<SmokeReport> {
  const { withEngine } = await import('../../operator/docker.js');
  const { storedValues } = await import('../../secrets/stored-values.js');
  const { unknownSecrets } = await import('../../doctor/unknown-secrets.js');
  const { diagnoseServices } = await import('../../doctor/for-smoke.js');
  const { runSmoke } = await import('../../smoke/run.js');
  const { builtBundle } = await import('../../status/expected.js');
  const { environment } = stack;
  // A machine that only asks needs to have none.
  const secrets = storedValues(io.cwd, environment.name);
  return withEngine(environment.settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
    runSmoke(docker, stack, {
      timeoutSeconds: timeout,
      ...(level === undefined ? {} : { level }),
      question,
      signal: io.signal,
      secrets,
      unknownSecrets: new Set(unknownSecrets(environment, io.cwd)),
      bundle: builtBundle(),
      diagnose: (services, signal) =>
        diagnoseServices({ docker, environment, project: io.cwd, secrets }, services, signal),
      onCheck: (result) => screen.check(result),
      onWaiting: (waiting) => screen.waiting(waiting),
      onBrokenOff,
    }),
  );
}

async function fromUrls(
  stack: DescribedStack,
  urls: ReadonlyMap<string, string>,
  { timeout, level, keyFile, question }: Timed,
  screen: SmokeScreen,
  io: Io,
): Promise<SmokeReport> {
  const { smokeUrls } = await import('../../smoke/from-urls.js');
  return smokeUrls(stack, {
    urls,
    keyFiles: new Map([...(keyFile ?? [])].map(([service, file]) => [service, resolve(io.cwd, file)])),
    question,
    level,
    timeoutSeconds: timeout,
    project: io.cwd,
    signal: io.signal,
    onCheck: (result) => screen.check(result),
    onWaiting: (waiting) => screen.waiting(waiting),
  });
}

function servicesOf({ topology }: DescribedStack, urls: ReadonlyMap<string, string> | undefined): readonly string[] {
  return urls ? [...urls.keys()] : topology.workloads.map(({ node }) => node.id);
}

function seconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of seconds, 1 to 999999');
}

/** `service=value`, added to those before it. */
function pair(text: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const [, service, value] = /^([a-z][a-z0-9.-]*)=(.+)$/.exec(text) ?? [];
  if (service === undefined || value === undefined) throw new InvalidArgumentError('expected SERVICE=VALUE');
  return new Map([...before, [service, value.replace(/\/$/, '')]]);
}
