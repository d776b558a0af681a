import { z } from 'zod';
import { CollectionSettings } from '../../../rag/retrieval/collection-settings.js';
import { SMOKE_LEVELS } from './level.js';

/**
 * What the two halves of the smoke tests say to each other: lines of JSON. The first line that the session reads is
 * the plan; after that it is told what happens to containers, and asked to mask logs. When its input ends it cleans up
 * and ends.
 */

/** Who asks in the checks, where a user has to be named and what is kept of it is nobody else's. */
export const SMOKE_USER = 'ragdock-smoke';

/** Who asks in one run: what is kept of it can be told from what another run keeps, and removed without it. */
export const smokeUser = (run: string): string => `${SMOKE_USER}-${run}`;

const common = {
  /** Id of the service in the model. */
  id: z.string(),
  /** Ids of the services that it cannot work without. */
  needs: z.array(z.string()),
};

/** A service and all that is needed to ask it. `…File` is a path without version; the newest PATH.vN is read. */
const Target = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('postgres'),
    url: z.string(),
    passwordFile: z.string(),
    settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('qdrant'),
    url: z.string(),
    keyFile: z.string(),
    collections: z.array(CollectionSettings),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('llm'),
    url: z.string(),
    /** @default - it asks for no key */
    keyFile: z.string().optional(),
    model: z.string(),
    /** Whether it has /v1/completions beside the chat: what this project runs does, what somebody else runs need not. */
    completes: z.boolean(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('rag-api'),
    url: z.string(),
    keyFile: z.string(),
    /** Where it serves its metrics. @default - that cannot be reached from here */
    metricsUrl: z.string().optional(),
  }),
  z.strictObject({ ...common, kind: z.literal('web-bot'), url: z.string() }),
  z.strictObject({
    ...common,
    kind: z.literal('prometheus'),
    url: z.string(),
    /** Longest time between two scrapes of any target. */
    scrapeSeconds: z.number(),
    /** What it has to scrape: the service behind each target, and the target's `instance`. */
    targets: z.array(z.strictObject({ service: z.string(), instance: z.string() })),
    /** Names of the groups of rules that it was given. */
    ruleGroups: z.array(z.string()),
    /** `host:port` of each Alertmanager that it sends to. */
    alertmanagers: z.array(z.string()),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('embeddings'),
    url: z.string(),
    keyFile: z.string(),
    model: z.string(),
    /** Numbers of one vector. */
    dimension: z.int(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('exporter'),
    /** What it measures. */
    exporter: z.enum(['node', 'postgres', 'dcgm']),
    url: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('agent-exporter'),
    url: z.string(),
    collections: z.array(z.string()),
  }),
  z.strictObject({ ...common, kind: z.literal('alertmanager'), url: z.string() }),
  z.strictObject({
    ...common,
    kind: z.literal('grafana'),
    url: z.string(),
    passwordFile: z.string(),
    /** uid of the data source that every dashboard asks. */
    dataSource: z.string(),
    /** uid of every dashboard that it was given. */
    dashboards: z.array(z.string()),
  }),
]);
export type Target = z.output<typeof Target>;
export type TargetOf<Kind extends Target['kind']> = Extract<Target, { kind: Kind }>;

/** One document and one question through the whole stack. */
const PathPlan = z.strictObject({
  /** Ids of every service on the way. */
  needs: z.array(z.string()),
  /** Where a scratch document goes. @default - there is no such collection: a question has to take its place */
  collection: z.string().optional(),
  course: z.string(),
  /** Longest answer, in seconds. */
  answerSeconds: z.number(),
  /** Asked in the place of a question about a scratch document. @default - a document is brought in */
  question: z.string().optional(),
});
export type PathPlan = z.output<typeof PathPlan>;

export const SmokePlan = z.strictObject({
  /** Names this run, and sorts by the time it began. Everything that it leaves for a while carries it. */
  run: z.string(),
  /** Runs that are alive beside this one: what carries their names is theirs. @default - not known: nothing is swept */
  liveRuns: z.array(z.string()).optional(),
  /** Longest time for everything, in seconds, without the cleaning up. */
  timeoutSeconds: z.number(),
  /** How far this run goes. */
  level: z.enum(SMOKE_LEVELS),
  targets: z.array(Target),
  /** Services that are known to have failed already. */
  failed: z.array(z.string()),
  path: PathPlan,
});
export type SmokePlan = z.output<typeof SmokePlan>;

/** The first target of a kind. */
export function targetOf<Kind extends Target['kind']>(
  { targets }: Pick<SmokePlan, 'targets'>,
  kind: Kind,
): TargetOf<Kind> | undefined {
  return targets.find((target): target is TargetOf<Kind> => target.kind === kind);
}

export const SmokeCommand = z.discriminatedUnion('command', [
  /** A service's container has failed for good; whoever waits for it need not go on. */
  z.strictObject({ command: z.literal('failed'), service: z.string(), came: z.string() }),
  /** Give this text back without the secrets in it. */
  z.strictObject({ command: z.literal('mask'), id: z.int(), text: z.string() }),
]);
export type SmokeCommand = z.output<typeof SmokeCommand>;

/** What became of one check. One that was not run, because something before it failed, is neither. */
export const CheckOutcome = z.enum(['passed', 'failed', 'skipped']);

export const CheckResult = z.strictObject({
  service: z.string().describe('Id of the service that was asked'),
  check: z.string().describe('What was looked at; unique in its service'),
  level: z.enum(SMOKE_LEVELS).describe('Container and endpoint, protocol of one service, or the way through all'),
  outcome: CheckOutcome,
  seconds: z.number().min(0).describe('Time that the check took, its waiting included'),
  asked: z.string().optional().describe('What was done'),
  expected: z.string().optional().describe('What would have been right'),
  came: z.string().optional().describe('What came instead; for a skipped check, why it was not run'),
  because: z.array(z.string()).optional().describe('Services whose failure explains this one'),
});
export type CheckResult = z.output<typeof CheckResult>;

export const SmokeEvent = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('check'), result: CheckResult }),
  /** A service is not ready yet. */
  z.strictObject({ event: z.literal('waiting'), service: z.string(), for: z.string() }),
  /** Every check has its result. */
  z.strictObject({ event: z.literal('done') }),
  z.strictObject({ event: z.literal('masked'), id: z.int(), text: z.string() }),
]);
export type SmokeEvent = z.output<typeof SmokeEvent>;
