import { filesVolumes } from '../../../constructs/engines/docker/index.js';
import type { DescribedStack, Inventory } from '../../../src/operator/stack.js';

/** An engine on which a stack runs, all of it but what is named. */
export function deployed({ topology }: DescribedStack, ...missing: readonly string[]): Inventory {
  const there = (name: string) => !missing.includes(name);
  return {
    networks: new Set(topology.networks.map(({ name }) => name).filter(there)),
    volumes: new Set(
      topology.workloads
        .flatMap((workload) => filesVolumes(workload, topology))
        .map(({ name }) => name)
        .filter(there),
    ),
    containers: new Map(
      topology.workloads
        .map((workload) => topology.containerName(workload))
        .filter(there)
        .map((name) => [name, { image: `sha256:${name}`, state: 'running' }]),
    ),
  };
}
