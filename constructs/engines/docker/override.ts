import type { ContainerConfig } from '@cdktf/provider-docker/lib/container/index.js';
import type { Workload } from '../../model/index.js';

/** Changes what the engine made of a workload. */
export type ContainerPatch = (config: ContainerConfig) => ContainerConfig;

const patches = new WeakMap<Workload, ContainerPatch[]>();

/**
 * The way past the model: change the container that the engine makes of `workload`. Patches run last, in the order of
 * the calls; a changed patch replaces the container like any other change. Literals in a patch are Terraform templates: write `$${` for `${`.
 */
export function overrideContainer(workload: Workload, patch: ContainerPatch): void {
  patches.set(workload, [...(patches.get(workload) ?? []), patch]);
}

export function patched(workload: Workload, config: ContainerConfig): ContainerConfig {
  return (patches.get(workload) ?? []).reduce((current, patch) => patch(current), config);
}
