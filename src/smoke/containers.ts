import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';
import type { Topology } from '../../constructs/engines/docker/index.js';
import { Job, type Workload } from '../../constructs/model/index.js';
import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import { statusOf } from '../operator/docker.js';
import { masked } from '../operator/masked.js';

/** Starts in a row that make a crash loop, when each of them ended this soon (in milliseconds). */
const LOOP_STARTS = 3;
const SOON_MS = 10_000;

/** Starts that are seen while we look, whatever each of them lasted. */
const SEEN_STARTS = 2;

/** Longest part of a health check's output that is shown, in characters. */
const LONGEST_OUTPUT = 200;

/** In place of a health check's output that may hold a secret which this machine cannot mask. */
const UNMASKABLE =
  'what its health check prints is not shown, since this machine does not know every secret that it has';

/** What the engine says of a container. */
export interface ContainerFacts {
  readonly status: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly restartCount: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly health: { readonly status: string; readonly output: string } | undefined;
}

export type ContainerVerdict =
  | { readonly state: 'good' }
  /** It may become good by itself. */
  | { readonly state: 'waiting'; readonly came: string }
  | {
      readonly state: 'failed';
      readonly came: string;
      /** No other service's failure explains it: somebody stopped it, or it has too little memory. @default false */
      readonly own?: boolean;
    };

/** What the engine says of the container of this name; undefined when there is none. */
async function inspectContainer(
  docker: Docker,
  name: string,
  secrets: readonly string[],
): Promise<ContainerFacts | undefined> {
  try {
    const found = await docker.getContainer(name).inspect();
    // What a probe prints may be an address with a password in it.
    return factsOf({ ...found, State: masked(found.State, secrets) });
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** What an inspection says, as far as it decides whether the container is well. */
export function factsOf({
  State: state,
  RestartCount: restartCount,
}: Pick<ContainerInspectInfo, 'State' | 'RestartCount'>): ContainerFacts {
  const { Health: health } = state;
  return {
    status: state.Status,
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    restartCount,
    startedAt: state.StartedAt,
    finishedAt: state.FinishedAt,
    health: health && health.Status !== 'none' ? { status: health.Status, output: lastOutput(health) } : undefined,
  };
}

/**
 * Whether a service's container is as it should be. One that the engine starts again and again has failed; one that
 * was started again once is given the time to come up.
 *
 * @param first what was seen first in this run
 */
export function judgeService(first: ContainerFacts | undefined, last: ContainerFacts | undefined): ContainerVerdict {
  if (!last) return { state: 'failed', came: 'there is no such container', own: true };
  const starts = last.restartCount - (first?.restartCount ?? last.restartCount);
  if (starts >= SEEN_STARTS) {
    const came = `a crash loop: ended ${starts} times while we looked, ${endOf(last)}`;
    return { state: 'failed', came, ...(last.oomKilled ? { own: true } : {}) };
  }
  switch (last.status) {
    case 'running':
      if (!last.health || last.health.status === 'healthy') return { state: 'good' };
      if (last.health.status === 'starting') {
        return { state: 'waiting', came: `running, not yet healthy${after(last.health.output)}` };
      }
      return { state: 'waiting', came: `${last.health.status}${after(last.health.output)}` };
    case 'restarting': {
      const lasted = Date.parse(last.finishedAt) - Date.parse(last.startedAt);
      if (last.restartCount >= LOOP_STARTS && lasted < SOON_MS) {
        const came = `a crash loop: started ${last.restartCount} times, ${endOf(last)}`;
        return { state: 'failed', came, ...(last.oomKilled ? { own: true } : {}) };
      }
      return { state: 'waiting', came: `being started again, ${endOf(last)}` };
    }
    case 'created':
      return { state: 'failed', came: `created and never started${after(last.error)}`, own: true };
    case 'paused':
      return { state: 'failed', came: 'paused', own: true };
    default:
      // The engine starts again what ends by itself.
      return { state: 'failed', came: `${last.status}, ${endOf(last)}`, own: true };
  }
}

/** Whether a job's container ended well; undefined when somebody removed it, which does no harm. */
export function judgeJob(last: ContainerFacts | undefined): ContainerVerdict | undefined {
  if (!last) return undefined;
  if (last.status === 'running') return { state: 'waiting', came: 'the job still runs' };
  if (last.status === 'exited' && last.exitCode === 0) return { state: 'good' };
  return { state: 'failed', came: `${last.status}, ${endOf(last)}` };
}

/** Looks at every container of a stack, again and again, and tells what became of each. */
export class ContainerWatch {
  readonly #docker: Docker;
  readonly #topology: Topology;
  readonly #first = new Map<Workload, ContainerFacts>();
  readonly #verdicts = new Map<Workload, ContainerVerdict>();
  readonly #began = performance.now();
  readonly #report: (result: CheckResult, own: boolean) => void;
  readonly #secrets: readonly string[];
  readonly #unknownSecrets: ReadonlySet<string>;

  /**
   * @param report told each container's verdict when it is there, and once more if a good one turns bad; `own` where no
   *   other service's failure explains it
   * @param secrets values that must not be in what is told, and names of those whose values are not known: of a workload
   *   that has one, what its health check prints is not told
   */
  constructor(
    docker: Docker,
    topology: Topology,
    report: (result: CheckResult, own: boolean) => void,
    secrets: { readonly values: readonly string[]; readonly unknown: ReadonlySet<string> },
  ) {
    this.#docker = docker;
    this.#topology = topology;
    this.#report = report;
    this.#secrets = secrets.values;
    this.#unknownSecrets = secrets.unknown;
  }

  /** Look once. Gives the services that have failed since the last look, and how. */
  async look(): Promise<ReadonlyMap<string, string>> {
    const failed = new Map<string, string>();
    await Promise.all(
      this.#topology.workloads.map(async (workload) => {
        const before = this.#verdicts.get(workload);
        if (before?.state === 'failed') return;
        const facts = this.#tellable(
          workload,
          await inspectContainer(this.#docker, this.#topology.containerName(workload), this.#secrets),
        );
        if (facts && !this.#first.has(workload)) this.#first.set(workload, facts);
        const verdict = Job.isJob(workload) ? judgeJob(facts) : judgeService(this.#first.get(workload), facts);
        if (!verdict) return;
        // A good one that is slow to answer its health check once is still good; one that has gone is not.
        if (before?.state === 'good' && verdict.state === 'waiting') return;
        this.#verdicts.set(workload, verdict);
        if (verdict.state === 'failed') failed.set(workload.node.id, verdict.came);
        if (verdict.state !== 'waiting' && verdict.state !== before?.state) this.#tell(workload, verdict);
      }),
    );
    return failed;
  }

  /** What is still waited for, by service. */
  get waiting(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#verdicts].flatMap(([workload, verdict]) =>
        verdict.state === 'waiting' ? [[workload.node.id, verdict.came] as const] : [],
      ),
    );
  }

  /** Wait no longer: what is still waited for has failed. */
  giveUp(): void {
    for (const [workload, verdict] of this.#verdicts) {
      if (verdict.state !== 'waiting') continue;
      const failed = { state: 'failed', came: verdict.came } as const;
      this.#verdicts.set(workload, failed);
      this.#tell(workload, failed);
    }
  }

  #tellable({ secrets }: Workload, facts: ContainerFacts | undefined): ContainerFacts | undefined {
    if (!facts?.health?.output || !secrets.some(({ name }) => this.#unknownSecrets.has(name))) return facts;
    return { ...facts, health: { ...facts.health, output: UNMASKABLE } };
  }

  #tell(workload: Workload, verdict: Exclude<ContainerVerdict, { state: 'waiting' }>): void {
    const job = Job.isJob(workload);
    const result = {
      service: workload.node.id,
      check: 'container',
      level: 'up',
      seconds: Math.round(performance.now() - this.#began) / 1000,
    } as const;
    if (verdict.state === 'good') this.#report({ ...result, outcome: 'passed' }, false);
    else {
      const asked = `docker inspect ${this.#topology.containerName(workload)}`;
      const expected = job ? 'ended with 0' : 'running and healthy';
      this.#report({ ...result, outcome: 'failed', asked, expected, came: verdict.came }, verdict.own ?? false);
    }
  }
}

function endOf({ exitCode, oomKilled, error }: ContainerFacts): string {
  const cause = oomKilled ? ' (killed: out of memory)' : after(error);
  return `ended with ${exitCode}${cause}`;
}

const after = (text: string): string => (text === '' ? '' : `: ${text}`);

function lastOutput({ Log }: { readonly Log?: readonly { readonly Output: string }[] | null }): string {
  const output = Log?.at(-1)?.Output.replace(/\s+/g, ' ').trim() ?? '';
  return output.length > LONGEST_OUTPUT ? `${output.slice(0, LONGEST_OUTPUT)}…` : output;
}
