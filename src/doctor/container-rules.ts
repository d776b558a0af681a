import { type ContainerFacts, judgeService } from '../smoke/containers.js';
import type { SeenStack, SeenWorkload } from './evidence.js';
import { type Finding, type FindingId, found } from './finding.js';
import type { LogCause } from './log-causes.js';
import { neededServers } from './needed-servers.js';
import { causeOnHost } from './on-host.js';
import { causeIn, type ReadCause } from './read-log.js';
import { shown, shownCause } from './withheld.js';

/** Lines of a log that are shown where nobody knows what they mean. */
const LAST_LINES = 3;

/** How long a line of a service that runs still tells how it is, in milliseconds: what was mended is in the log, too. */
const RECENT_MS = 5 * 60_000;

/**
 * Starts by the engine that make a loop, as long as the probes are not green, and where there are none when the last of
 * them was this short a time ago, in milliseconds: a model may load for minutes before it fails.
 */
const LOOP_STARTS = 3;
const LOOP_MS = 2 * 60_000;

/** What is wrong with the containers, each with its surest cause. */
export function containerFindings(environment: string, { engine, workloads }: SeenStack): readonly Finding[] {
  const unwell = workloads.filter((workload) => !isWell(workload, engine.now));
  // What was never deployed is told once, and not of every service.
  const isDeployed = workloads.some(({ facts, isJob }) => facts !== undefined && !isJob);
  return workloads.flatMap((workload): readonly Finding[] => {
    if (workload.nameTaken) return [taken(environment, workload)];
    if (workload.facts === undefined) {
      return workload.isJob || !isDeployed ? [] : [missing(environment, workload)];
    }
    if (unwell.includes(workload)) {
      const cause = causeOf(environment, workload, engine.now);
      if (cause) return [cause];
      return isKeptWaiting(workload, workloads, engine.now) ? [] : [endOf(environment, workload, engine.now)];
    }
    return whileWell(environment, workload, unwell, engine.now);
  });
}

/** A service that still starts may be loading a model; one that the engine starts again and again is not well. */
function isWell({ facts, isJob }: SeenWorkload, now: number): boolean {
  if (facts === undefined) return isJob;
  if (isJob) return facts.status === 'running' || (facts.status === 'exited' && facts.exitCode === 0);
  if (isLooping(facts, now)) return false;
  return judgeService(facts, facts).state === 'good' || isStarting(facts);
}

const isStarting = ({ status, health }: ContainerFacts): boolean =>
  status === 'running' && health?.status === 'starting';

/**
 * Whether its probe, which asks its servers, fails while one of them, or one that such a server asks, still starts: a
 * model may load for half an hour, and the probe gives up long before.
 */
function isKeptWaiting(workload: SeenWorkload, workloads: readonly SeenWorkload[], now: number): boolean {
  if (!workload.probesServers || workload.facts?.status !== 'running' || isLooping(workload.facts, now)) return false;
  return neededServers(workload, workloads).some(({ facts }) => facts && isStarting(facts) && !isLooping(facts, now));
}

/** Between two ends it runs, and its probes may even be green for a while. */
const isLooping = ({ status, restartCount, startedAt, health }: ContainerFacts, now: number): boolean =>
  status === 'running' &&
  restartCount >= LOOP_STARTS &&
  (now - Date.parse(startedAt) < LOOP_MS || (health !== undefined && health.status !== 'healthy'));

function taken(environment: string, { id: service, container }: SeenWorkload): Finding {
  const evidence = [`docker inspect ${container}: it has no label ragdock.environment=${environment}`];
  return found('name-taken', { environment, service, evidence, values: { container } });
}

function missing(environment: string, { id: service, container }: SeenWorkload): Finding {
  return found('container-missing', { environment, service, evidence: [`docker ps -a: no ${container}`] });
}

/** What the engine or the service itself says is surer than how it ended. */
function causeOf(environment: string, workload: SeenWorkload, now: number): Finding | undefined {
  const { facts, log } = workload;
  // Whoever is paused says nothing; that somebody did it is the cause.
  if (!facts || facts.status === 'paused') return undefined;
  // Of what has ended the last words count, however long ago that was.
  const ended = facts.status !== 'running' || isLooping(facts, now);
  const since = (ended ? Date.parse(facts.finishedAt) : now) - RECENT_MS;
  // What the engine gave no time for is read as well.
  const lines = log.filter(({ at }) => !(at < since)).map(({ text }) => text);
  // That a client was refused ends nobody.
  const isOwn = ({ whileWell: when }: LogCause) => when !== 'client-fails';
  const read = (facts.error ? causeIn([facts.error], 'engine') : undefined) ?? causeOfLog(workload, lines, isOwn);
  return read && ofCause(environment, workload, read, [stateOf(workload)]);
}

/** What lines of its log say, as far as they may be shown. What the engine says of it holds no secret. */
function causeOfLog(
  workload: SeenWorkload,
  lines: readonly string[],
  counts: (cause: LogCause) => boolean,
): ReadCause | undefined {
  const read = workload.writer && causeIn(lines, workload.writer, counts);
  return read && shownCause(workload, causeOnHost(workload, read));
}

/** What a service tells in its log while its probes are green. */
function whileWell(
  environment: string,
  workload: SeenWorkload,
  unwell: readonly SeenWorkload[],
  now: number,
): readonly Finding[] {
  const { id, log, writer, recoveryModeSet, facts, container } = workload;
  if (recoveryModeSet) {
    const evidence = [`docker inspect ${container}: Env has QDRANT__STORAGE__RECOVERY_MODE`];
    return [found('qdrant-recovery-mode', { environment, service: id, evidence, values: { container } })];
  }
  if (writer === undefined || facts === undefined || facts.status !== 'running') return [];
  const failingClients = unwell.filter(({ servers, facts: client }) => client && servers.includes(id));
  // A client that fails has said so since its last start; a job that failed has ended long ago.
  const clientsSince = Math.min(...failingClients.map((client) => Date.parse(client.facts?.startedAt ?? '')));
  // Lines of earlier runs are there where it was started again.
  const since = { running: Date.parse(facts.startedAt), recent: now - RECENT_MS, 'client-fails': clientsSince };
  for (const when of ['running', 'recent', 'client-fails'] as const) {
    const lines = log
      .filter(({ at }) => (when === 'running' ? !(at < since.running) : at >= since[when]))
      .map(({ text }) => text);
    const read = causeOfLog(workload, lines, (cause) => cause.whileWell === when);
    if (read) return [ofCause(environment, workload, read, [])];
  }
  return [];
}

function ofCause(
  environment: string,
  { id: service, container, ownershipJob, modelJob, hostModel }: SeenWorkload,
  { cause, lines, groups }: ReadCause,
  further: readonly string[],
): Finding {
  return found(cause.id, {
    environment,
    service,
    evidence: [...lines, ...further],
    values: {
      container,
      ownership: ownershipJob,
      modeljob: modelJob,
      which: importFlag(service),
      folder: hostModel?.folder,
      user: hostModel && `${hostModel.user.uid}:${hostModel.user.gid}`,
      gid: hostModel && String(hostModel.user.gid),
      holder: 'somebody else',
      stop: 'docker ps; ss -ltnp',
      other: 'NETWORK',
      ...groups,
    },
  });
}

/** Which of several models a `model import` is for: the job is named after its server. */
function importFlag(service: string): string {
  const server = service.replace(/-model$/, '');
  return server === 'embeddings' ? ' --embeddings' : ` --llm ${server.replace(/^llm-/, '')}`;
}

function endOf(environment: string, workload: SeenWorkload, now: number): Finding {
  const { id: service, container, log } = workload;
  const last = log.slice(-LAST_LINES).map(({ text }) => text);
  const id = kindOf(workload, now);
  const probe = id === 'probe-fails' ? [workload.facts?.health?.output || 'the health check gave no output'] : [];
  const evidence = [stateOf(workload), ...shown(workload, [...probe, ...last])];
  return found(id, { environment, service, evidence, values: { container } });
}

function kindOf({ facts, isJob }: SeenWorkload, now: number): FindingId {
  if (!facts) return 'container-missing';
  const { status, exitCode, oomKilled } = facts;
  if (status === 'created') return 'never-started';
  if (oomKilled) return 'memory-exhausted';
  if (status === 'paused') return 'container-paused';
  if (isJob) return 'job-failed';
  if (status === 'running') return isLooping(facts, now) ? 'crash-loop' : 'probe-fails';
  // That it ends without an error says more than that it does so again and again.
  if (status === 'restarting' && exitCode !== 0) return 'crash-loop';
  return exitCode === 0 ? 'ended-without-error' : 'container-ended';
}

function stateOf({ container, facts }: SeenWorkload): string {
  if (!facts) return `docker inspect ${container}: no such container`;
  const { status, health, exitCode, oomKilled, restartCount, error } = facts;
  const words = [
    status === 'running' && health ? `running, ${health.status}` : status,
    ...(status === 'running' || status === 'created' || status === 'paused' ? [] : [`exit code ${exitCode}`]),
    ...(oomKilled ? ['OOMKilled'] : []),
    ...(restartCount > 0 ? [`restarts ${restartCount}`] : []),
    ...(error ? [error] : []),
  ];
  return `docker inspect ${container}: ${words.join(', ')}`;
}
