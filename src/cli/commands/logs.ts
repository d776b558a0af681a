import { statSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { RagdockError } from '../../errors/problem.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';
import { whole } from '../options.js';

interface Options {
  readonly follow?: true;
  readonly since?: Since;
  readonly tail?: number;
  readonly timestamps?: true;
  readonly allowUnmasked?: true;
}

/** Seconds before now, or a time in seconds since 1970. */
type Since = { readonly ago: number } | { readonly at: number };

/** Lines of each service, where nothing is said of which ones. */
const DEFAULT_TAIL = 100;

/** One service after the other, so that neighbours differ. */
const STYLES = ['cyan', 'yellow', 'green', 'magenta', 'blue'] as const;

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `ragdock logs`: what the services of an environment wrote. */
export function registerLogs(program: RagdockCommand, io: Io): void {
  program
    .command('logs')
    .summary('print what the services wrote, secrets masked')
    .description('print what the services of a running stack wrote, merged by time, secrets masked')
    .argument('<env>', 'name or file of the environment')
    .argument('[service...]', 'services and jobs (default: all services)')
    .option('--follow', 'go on with what comes, until Ctrl-C; containers that are replaced are followed on')
    .option('--since <time>', 'lines from this time on: 30s, 10m, 2h, 1d ago, or 2026-11-22T10:00:00Z', since)
    .option(
      '--tail <number>',
      `last lines of each service (default: ${DEFAULT_TAIL}, and all with --since)`,
      whole(0, 1_000_000),
    )
    .option('--timestamps', 'begin each line with its time, by the engine’s clock')
    .option('--allow-unmasked', 'print although not every secret can be known, and so not masked')
    .example('ragdock logs dev', 'the last lines of every service')
    .example('ragdock logs dev rag-api qdrant --since 10m', 'what two services wrote in the last ten minutes')
    .example('ragdock logs dev --follow --tail 0', 'what is written from now on')
    .action((env: string, services: string[], options: Options) => logs(env, services, options, io));
}

async function logs(env: string, wanted: readonly string[], options: Options, io: Io): Promise<void> {
  const { stateFileOf } = await import('../../../config/state.js');
  const { ExternalServer, Service } = await import('../../../constructs/model/index.js');
  const { openMasker } = await import('../../logs/masker.js');
  const { presentTargets, readLogs } = await import('../../logs/read.js');
  const { formatLines } = await import('../../logs/text.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { requireKnown } = await import('../../operator/known.js');
  const { describeStack, notDeployed, wholeTopology } = await import('../../operator/stack.js');
  const { FilesStore } = await import('../../secrets/files-store.js');
  const { secretsOf } = await import('../../secrets/inventory.js');
  const { storedValues } = await import('../../secrets/stored-values.js');

  const stack = describeStack(env, io.cwd);
  const { environment } = stack;
  const { name, settings } = environment;
  const topology = wholeTopology(environment);
  const known = topology.workloads.map(({ node }) => node.id);
  for (const service of wanted) {
    const server = stack.services.node.tryFindChild(service);
    if (server && ExternalServer.isExternalServer(server)) throw logsElsewhere(service, name);
    requireKnown('service', service, known, name);
  }
  const targets = topology.workloads
    .filter((workload) => (wanted.length === 0 ? Service.isService(workload) : wanted.includes(workload.node.id)))
    .map((workload) => ({ service: workload.node.id, container: topology.containerName(workload) }));

  const stateFile = stateFileOf(settings.state, name, io.cwd);
  const { signal } = io;
  const follow = options.follow === true;
  const width = Math.max(...targets.map(({ service }) => service.length));
  const format = {
    timestamps: options.timestamps === true,
    service: (service: string) =>
      paint(io.stdout, STYLES[known.indexOf(service) % STYLES.length] ?? 'bold', service.padEnd(width)),
  };
  // Each log that is followed holds a connection, and so does the session that masks.
  const engine = { certPath: io.env.DOCKER_CERT_PATH, connections: targets.length + 6, signal };
  await withEngine(settings.host.docker, engine, async (docker) => {
    const present = await presentTargets(docker, targets, name);
    const missing = targets.filter((target) => !present.includes(target));
    if (present.length === 0) {
      throw notDeployed(
        topology,
        missing.map(({ container }) => `container ${container}`),
      );
    }
    for (const { service, container } of missing) {
      io.stderr.write(`${service}: there is no container ${container}\n`);
    }
    const { SystemTime } = (await docker.info()) as { SystemTime: string };
    const now = Date.parse(SystemTime) / 1000;
    const masker = await openMasker(docker, stack, {
      secrets: secretsOf(environment, new FilesStore(io.cwd, name), io.cwd),
      stored: () => storedValues(io.cwd, name),
      deployedHere: stateFile !== undefined && (statSync(stateFile, { throwIfNoEntry: false })?.size ?? 0) > 0,
      follow,
      signal,
      onRisk: options.allowUnmasked ? (why) => io.stderr.write(`secrets may be printed: ${why}\n`) : undefined,
    });
    try {
      const batches = readLogs(docker, targets, {
        environment: name,
        since: options.since && ('at' in options.since ? options.since.at : now - options.since.ago),
        tail: options.tail ?? (options.since ? undefined : DEFAULT_TAIL),
        follow,
        signal,
        now,
      });
      for await (const lines of batches) io.stdout.write(await formatLines(lines, masker, format));
    } finally {
      await masker.close();
    }
  });
}

function logsElsewhere(service: string, environment: string): RagdockError {
  return new RagdockError({
    code: 'USAGE',
    path: service,
    message: `${service} of ${environment} is external: its log is where it is run`,
    remedy: 'Look there; `ragdock smoke` asks whether it answers.',
  });
}

function since(text: string): Since {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return { ago: Number(amount) * UNITS[unit as keyof typeof UNITS] };
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return { at: at / 1000 };
  throw new InvalidArgumentError('expected 30s, 10m, 2h, 1d, or a time such as 2026-11-22T10:00:00Z');
}
