import type { ContainerConfig } from '@cdktf/provider-docker/lib/container/index.js';
import type { Construct } from 'constructs';
import { DefaultTokenResolver, StringConcat, Tokenization } from '../../tf.js';
import { shortHash } from './files.js';

/** Fields that are no reason to replace a container, or replace it without help. */
const APART: ReadonlySet<string> = new Set<keyof ContainerConfig>([
  // Changed in place by the provider.
  ...(['memory', 'memorySwap', 'cpuShares', 'cpuSet', 'restart', 'maxRetryCount'] as const),
  // Steer the provider and Terraform, and leave the container as it is.
  ...(['wait', 'waitTimeout', 'destroyGraceSeconds', 'removeVolumes', 'lifecycle', 'dependsOn'] as const),
  ...(['provider', 'connection', 'provisioners', 'count', 'forEach'] as const),
  // Name other resources, whose replacement replaces the container.
  ...(['image', 'networksAdvanced'] as const),
]);

/**
 * Add the label that carries a hash of what the container is. The provider neither changes nor reads back several of a
 * container's fields, and never takes back others; a changed label replaces the container, whatever the field.
 *
 * @param inputs what the container depends on without naming it
 */
export function withSpecLabel(scope: Construct, config: ContainerConfig, inputs: readonly string[]): ContainerConfig {
  const { labels = [] } = config;
  if (!Array.isArray(labels)) throw new TypeError(`${scope.node.path}: an override made the labels a reference`);
  const spec = Object.entries({ ...config, inputs })
    .filter(([field]) => !APART.has(field))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // An override may name other resources. Unresolved, that is a number which the rest of the stack decides.
  const resolver = new DefaultTokenResolver(new StringConcat());
  const resolved = Tokenization.resolve(spec, { scope, preparing: false, resolver });
  return { ...config, labels: [...labels, { label: 'ragdock.spec', value: shortHash(resolved) }] };
}
