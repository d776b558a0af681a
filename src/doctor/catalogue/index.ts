import { CONTAINER_FINDINGS } from './containers.js';
import { HOST_FINDINGS } from './host.js';
import type { FindingKind } from './kind.js';
import { SERVICE_FINDINGS } from './services.js';
import { STACK_FINDINGS } from './stack.js';

export type { FindingKind, Severity } from './kind.js';

/** Every kind of finding, in the order of the doctor's page. */
export const FINDING_KINDS = {
  ...HOST_FINDINGS,
  ...STACK_FINDINGS,
  ...CONTAINER_FINDINGS,
  ...SERVICE_FINDINGS,
} as const satisfies Readonly<Record<string, FindingKind>>;

/** Stable name of a kind, such as `gpu-memory-exhausted`; the page has a section for each. */
export type FindingId = keyof typeof FINDING_KINDS;

/** The ids of all kinds, in the order of the page. */
export const FINDING_IDS = Object.keys(FINDING_KINDS) as [FindingId, ...FindingId[]];
