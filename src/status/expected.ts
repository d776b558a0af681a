import type { Environment } from '../../config/environment.js';
import { App } from '../../constructs/tf.js';
import { RagStack } from '../../stacks/rag-stack.js';
import { type Bundle, readBundle } from '../apps/bundle.js';
import { RagdockError } from '../errors/problem.js';

/** What synth would make of one workload now. */
export interface ExpectedContainer {
  /** The label `ragdock.spec`. */
  readonly spec: string | undefined;
  /** Image by its tag, with a digest where the lock file has one; undefined when the bundled apps are not built here. */
  readonly image: string | undefined;
}

interface Synthesised {
  readonly docker_container?: Readonly<Record<string, { readonly image: string; readonly labels: readonly Label[] }>>;
  readonly docker_image?: Readonly<Record<string, { readonly name: string }>>;
}

interface Label {
  readonly label: string;
  readonly value: string;
}

/** Stands for the bundled apps where they are not built. The hash is a part of the image alone, and not of the label. */
const NO_BUNDLE: Bundle = { context: '', hash: '000000000000' };

/**
 * What synth of an environment gives now, by the ids of its workloads. Nothing is written.
 *
 * @param bundle the bundled apps; undefined where they are not built, which no other container needs
 */
export function expectedContainers(
  environment: Environment,
  bundle: Bundle | undefined = builtBundle(),
): ReadonlyMap<string, ExpectedContainer> {
  const stack = new RagStack(new App(), environment, { bundle: bundle ?? NO_BUNDLE });
  stack.prepareStack();
  const { docker_container: containers = {}, docker_image: images = {} } = (
    stack.toTerraform() as { readonly resource: Synthesised }
  ).resource;
  return new Map(
    Object.entries(containers).map(([id, { image, labels }]) => {
      const [, imageId = ''] = /^\$\{docker_image\.(.+)\.image_id\}$/.exec(image) ?? [];
      const spec = labels.find(({ label }) => label === 'ragdock.spec')?.value;
      const unknown = imageId === 'bundled-apps' && bundle === undefined;
      return [id, { spec, image: unknown ? undefined : images[imageId]?.name }];
    }),
  );
}

/** Undefined where a checkout's apps are missing or older than their sources: a status is no reason to build them. */
export function builtBundle(): Bundle | undefined {
  try {
    return readBundle();
  } catch (error) {
    if (error instanceof RagdockError && /^BUNDLE_/.test(error.code)) return undefined;
    throw error;
  }
}
