import { judgeService } from '../smoke/containers.js';
import type { Evidence, SeenWorkload } from './evidence.js';
import type { Finding } from './finding.js';
import { causeIn, filled } from './read-log.js';

/** Lines of a log that are shown where nobody knows what they mean. */
const LAST_LINES = 3;

/** What is wrong with the containers, each with its surest cause. */
export function containerFindings({ environment, workloads }: Evidence): readonly Finding[] {
  return workloads.flatMap((workload) => {
    const { facts } = workload;
    if (facts === undefined) return workload.isJob ? [] : [missing(environment, workload)];
    if (isWell(workload)) return [];
    return [causeInLog(environment, workload) ?? endOf(environment, workload)];
  });
}

function isWell({ facts, isJob }: SeenWorkload): boolean {
  if (facts === undefined) return false;
  if (isJob) return facts.status === 'running' || (facts.status === 'exited' && facts.exitCode === 0);
  return judgeService(facts, facts).state === 'good' || facts.health?.status === 'starting';
}

function missing(environment: string, { id, container }: SeenWorkload): Finding {
  return {
    id: 'container-missing',
    severity: 'broken',
    service: id,
    evidence: [`the engine has no container ${container}`],
    meaning: 'A deploy was cut off, or somebody removed the container.',
    remedy: `npx cdktf deploy ${environment}`,
    rank: 20,
  };
}

/** What the service itself says of its end is surer than how it ended. */
function causeInLog(environment: string, { id, container, log, writer }: SeenWorkload): Finding | undefined {
  const found = writer && causeIn(log, writer);
  if (!found) return undefined;
  const { cause, lines, groups } = found;
  const known = { ...groups, id, container, env: environment, name: id.replace(/^llm-/, '') };
  return {
    id: cause.id,
    severity: 'broken',
    service: id,
    evidence: lines,
    meaning: filled(cause.meaning, known),
    remedy: filled(cause.remedy, known),
    rank: 0,
  };
}

function endOf(environment: string, workload: SeenWorkload): Finding {
  const { id, container, facts, log, isJob } = workload;
  const last = log.slice(-LAST_LINES);
  const common = { severity: 'broken', service: id, rank: 10 } as const;
  const logs = `npx ragdock logs ${environment} ${id} --since 10m`;
  if (facts?.oomKilled) {
    return {
      ...common,
      id: 'memory-exhausted',
      evidence: [`docker inspect ${container}: OOMKilled, exit code ${facts.exitCode}`, ...last],
      meaning: 'The kernel killed it because it took more memory than its limit.',
      remedy: `Raise its memory in the environment file, and npx cdktf deploy ${environment}`,
    };
  }
  if (facts?.status === 'paused') {
    return {
      ...common,
      id: 'container-paused',
      evidence: [`docker inspect ${container}: paused`],
      meaning: 'Somebody paused it: connections are taken, and nothing is answered.',
      remedy: `docker unpause ${container}`,
    };
  }
  if (!isJob && facts?.status === 'running') {
    return {
      ...common,
      id: 'probe-fails',
      evidence: [facts.health?.output || 'the health check gave no output', ...last],
      meaning: 'It runs, and its own health check says that it does not work.',
      remedy: logs,
      rank: 30,
    };
  }
  const ended = `docker inspect ${container}: ${facts?.status}, exit code ${facts?.exitCode}, restarts ${facts?.restartCount}`;
  if (!isJob && facts?.exitCode === 0) {
    return {
      ...common,
      id: 'ended-without-error',
      evidence: [ended, ...last],
      meaning:
        'It ended by itself and called that a success. vLLM does so when its engine dies; others do when they are told to stop.',
      remedy: `docker start ${container}; then ${logs}`,
    };
  }
  return {
    ...common,
    id: isJob ? 'job-failed' : facts && facts.restartCount > 0 ? 'crash-loop' : 'container-ended',
    evidence: [ended, ...(facts?.error ? [facts.error] : []), ...last],
    meaning: isJob
      ? 'A job of the deploy has failed; what waits for it does not start.'
      : 'It ends soon after each start. The last lines of its log say what it said last.',
    remedy: isJob ? `${logs}; a deploy runs it again once its container is removed: docker rm ${container}` : logs,
    rank: isJob ? 5 : 10,
  };
}
