import type Docker from 'dockerode';
import { imageReference } from '../../constructs/engines/docker/image-reference.js';
import { Service } from '../../constructs/model/index.js';
import type { Bundle } from '../apps/bundle.js';
import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import type { DescribedStack, Inventory } from '../operator/stack.js';
import { BUNDLE } from './report.js';

/**
 * Whether the apps that run are those that a deploy would bring: a stack that answers with yesterday's code proves
 * nothing of today's.
 *
 * @param bundle the bundled apps of this machine
 */
export async function checkBundle(
  docker: Docker,
  { topology }: DescribedStack,
  { containers }: Inventory,
  { hash }: Pick<Bundle, 'hash'>,
): Promise<readonly CheckResult[]> {
  const images = await docker.listImages();
  const nameOf = (id: string) => images.find(({ Id }) => Id === id)?.RepoTags?.[0] ?? id;
  const wanted = imageReference({ image: 'bundled-apps' }, hash);
  const current = new Set(images.filter(({ RepoTags }) => (RepoTags ?? []).includes(wanted)).map(({ Id }) => Id));
  return topology.workloads.filter(Service.isService).flatMap((service): readonly CheckResult[] => {
    const name = topology.containerName(service);
    const runs = containers.get(name)?.image;
    // That there is no container is told otherwise.
    if (service.image !== 'bundled-apps' || runs === undefined) return [];
    const result = { service: service.node.id, check: BUNDLE, level: 'up', seconds: 0 } as const;
    if (current.has(runs)) return [{ ...result, outcome: 'passed' }];
    const asked = `docker inspect ${name}`;
    const came = `the image ${nameOf(runs)}, which is of another version of the apps`;
    return [{ ...result, outcome: 'failed', asked, expected: `the image ${wanted}`, came }];
  });
}
