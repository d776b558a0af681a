import type { Workload } from '../../model/index.js';

/** The image of a workload with its tag. That of the bundled apps is built on the engine, and its tag is their hash. */
export function imageReference({ image }: Pick<Workload, 'image'>, bundle: string): string {
  return image === 'bundled-apps' ? `ragdock-apps:${bundle}` : image.reference;
}
