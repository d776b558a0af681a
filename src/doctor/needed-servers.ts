import type { SeenWorkload } from './evidence.js';

/** The services that a workload asks, and those that they ask, as far as they are part of the stack. */
export function neededServers(
  { servers }: Pick<SeenWorkload, 'servers'>,
  workloads: readonly SeenWorkload[],
): readonly SeenWorkload[] {
  const ids = new Set(servers);
  // What is added on the way is visited as well.
  for (const id of ids) {
    for (const further of workloads.find((it) => it.id === id)?.servers ?? []) ids.add(further);
  }
  return workloads.filter(({ id }) => ids.has(id));
}
