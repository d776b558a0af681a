import type { Environment } from '../../config/environment.js';
import { stackOf, wholeTopology } from '../../src/operator/stack.js';
import { type ExpectedContainer, expectedContainers } from '../../src/status/expected.js';
import { engineWith, type RUNNING } from '../operator/support/deployed-engine.js';
import type { ScriptedEngine } from '../operator/support/scripted-engine.js';

const MIB = 1024 * 1024;

/** What stands for the bundled apps. */
const BUNDLE = { context: '/nowhere', hash: 'aaaaaaaaaaaa' };

const known = new WeakMap<Environment, ReadonlyMap<string, ExpectedContainer>>();

/** What synth makes of an environment; once for each, because it takes a while. */
export function expectedOf(environment: Environment): ReadonlyMap<string, ExpectedContainer> {
  const expected = known.get(environment) ?? expectedContainers(environment, BUNDLE);
  known.set(environment, expected);
  return expected;
}

/** An engine on which an environment runs as a deploy of today would make it, all of it well. */
export async function statusEngine(environment: Environment): Promise<ScriptedEngine> {
  const topology = wholeTopology(environment);
  const engine = await engineWith({ ...stackOf(environment), topology }, () => 0);
  const expected = expectedOf(environment);
  const images = [...new Set([...expected.values()].map(({ image }) => image ?? ''))];
  const idOf = (image: string) => `sha256:${images.indexOf(image)}`;
  engine.now = () => new Date('2026-11-22T12:00:00Z');
  engine.images = images.map((image) => ({ Id: idOf(image), RepoTags: [image], RepoDigests: [] }));
  engine.volumes = [
    ...engine.volumes,
    ...topology.workloads.flatMap(({ dataVolumes }) => dataVolumes.map((volume) => topology.volumeName(volume))),
  ];
  for (const workload of topology.workloads) {
    const name = topology.containerName(workload);
    const known = engine.states.get(name) as typeof RUNNING;
    const isService = 'healthCheck' in workload;
    const { spec = '', image = '' } = expected.get(workload.node.id) ?? {};
    const Labels = {
      'ragdock.environment': environment.name,
      'ragdock.service': workload.node.id,
      'ragdock.spec': spec,
    };
    engine.states.set(name, {
      ...known,
      State: isService
        ? { ...known.State, Health: { Status: 'healthy', Log: [] } }
        : { ...known.State, FinishedAt: '2026-11-22T10:00:03Z' },
      Image: idOf(image),
      Config: { Labels },
      HostConfig: { Memory: workload.memoryMiB * MIB },
      NetworkSettings: { Networks: Object.fromEntries(topology.networksOf(workload).map((it) => [it.name, {}])) },
    });
    engine.stats.set(name, { memory_stats: { usage: 30 * MIB, stats: { inactive_file: 10 * MIB } } });
    const listed = engine.others.find(({ Id }) => Id === name);
    if (listed) listed.Labels = Labels;
  }
  return engine;
}

/** Change what the engine says of a container, one level deep. */
export function changes(engine: ScriptedEngine, name: string, change: Readonly<Record<string, object | string>>): void {
  const known = engine.states.get(name) as Record<string, object>;
  const merged = Object.entries(change).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : { ...known[key], ...value },
  ]);
  engine.states.set(name, { ...known, ...Object.fromEntries(merged) });
}
