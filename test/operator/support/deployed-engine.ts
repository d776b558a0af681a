import { imageReference } from '../../../constructs/engines/docker/image-reference.js';
import type { DescribedStack } from '../../../src/operator/stack.js';
import { builtBundle } from '../../../src/status/expected.js';
import { deployed } from './inventory.js';
import { type Program, ScriptedEngine } from './scripted-engine.js';

/** What `docker inspect` says of a container that is well. */
export const RUNNING = {
  RestartCount: 0,
  State: {
    Status: 'running',
    ExitCode: 0,
    OOMKilled: false,
    Error: '',
    StartedAt: '2026-11-22T10:00:00Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
};
const ENDED = { ...RUNNING, State: { ...RUNNING.State, Status: 'exited' } };

/** An engine on which a stack runs, and on which sessions do what `program` does. */
export async function engineWith(stack: DescribedStack, program: Program): Promise<ScriptedEngine> {
  const engine = await ScriptedEngine.start(program);
  const { networks, volumes, containers } = deployed(stack);
  engine.networks = [...networks];
  engine.volumes = [...volumes];
  const jobs = new Set(
    stack.topology.workloads
      .filter((workload) => !('healthCheck' in workload))
      .map((workload) => stack.topology.containerName(workload)),
  );
  const bundle = builtBundle();
  if (bundle) {
    // The apps that run are those of this version: each container has an image of its own here, with the same name.
    engine.images = stack.topology.workloads
      .filter(({ image }) => image === 'bundled-apps')
      .map((workload) => ({
        Id: containers.get(stack.topology.containerName(workload))?.image,
        RepoTags: [imageReference(workload, bundle.hash)],
      }));
  }
  for (const [name, { image }] of containers) {
    engine.states.set(name, jobs.has(name) ? ENDED : RUNNING);
    const State = jobs.has(name) ? 'exited' : 'running';
    engine.others.push({ Id: name, Names: [`/${name}`], ImageID: image, State, Created: 0, Labels: {} });
  }
  return engine;
}

/** Change what the engine says of a container. */
export function becomes(engine: ScriptedEngine, name: string, state: object, restartCount = 0): void {
  engine.states.set(name, { RestartCount: restartCount, State: { ...RUNNING.State, ...state } });
  const listed = engine.others.find(({ Id }) => Id === name);
  if (listed && 'Status' in state) listed.State = state.Status;
}
