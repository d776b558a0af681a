import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FAILURES } from '../../../src/apps/web-bot/failures.js';
import type { Deployment } from '../../deploy/support/deployment.js';
import { until } from '../../deploy/support/poll.js';
import { deployCutAfter } from './cut.js';
import type { Opens } from './opens.js';
import { type Asked, NOTICED, Questions, type Target } from './questions.js';

/** The rotation of one secret, and what may be seen of it. */
export interface Drill {
  readonly deployment: Deployment;
  readonly secret: string;
  readonly opens: Opens;
  /** Services that get another container. Every other one keeps its own, and its process. */
  readonly replaced: readonly string[];
  /** What questions may meet meanwhile; nothing where it is left out. @default - no question fails or lacks anything */
  readonly meanwhile?: {
    readonly degraded?: readonly string[];
    /** Statuses with problems that may refuse a question. */
    readonly refusals?: RegExp;
    /** Whether an answer that is being written may break off. */
    readonly breaks?: boolean;
  };
  /** Job after which the deploy is stopped once, and run again: up to then the old version opens. @default - it is not stopped */
  readonly cutAfter?: string;
  /** Whether the old version still opens when the new one does, for a time. @default - nothing is said of it */
  readonly overlaps?: boolean;
  /** Somebody who was there before; what comes back holds what has become of him, after the old version has ended. */
  readonly stays?: () => Promise<() => Promise<void>>;
}

/** What the chat says where the API answers 503. */
const REFUSALS_IN_CHAT: ReadonlySet<string> = new Set([
  FAILURES.api_unavailable.text,
  // A model server that has just started, or works on what has waited for it.
  FAILURES.api_overloaded.text,
  FAILURES.knowledge_unavailable.text,
]);

/** Answers that are waited for, before the rotation and after the deploy. */
const ENOUGH = 3;

interface Running {
  readonly id: string;
  readonly startedAt: string;
}

/** Rotate the secret under a steady stream of questions, and hold what happens against what was said. */
export function rotates(drill: Drill, target: () => Target): void {
  const { deployment, secret, opens, replaced, meanwhile } = drill;
  const { name, project, engine } = deployment;

  const running = async (): Promise<Record<string, Running>> =>
    Object.fromEntries(
      await Promise.all(
        engine.services.map(async (service) => {
          const { Id, State } = await engine.containerOf(service).inspect();
          return [service, { id: Id, startedAt: State.StartedAt }] as const;
        }),
      ),
    );
  const version = (): number => parse(readFileSync(project.lockFile, 'utf8')).secrets[secret].version;
  const enough = (questions: Questions, since: number, seconds: number): Promise<unknown> =>
    until(
      'questions are answered',
      async () => {
        if (questions.answered('api', since) >= ENOUGH && questions.answered('chat', since) >= 1) return true;
        throw new Error(`last: ${JSON.stringify(questions.all.at(-1))}`);
      },
      seconds,
    );

  test(`${secret} of ${name} is rotated`, async () => {
    const old = version();
    const before = await running();
    expect(await opens(old), 'the version of now opens').toBe(true);
    const stayed = await drill.stays?.();
    const questions = await Questions.start(target());
    try {
      await enough(questions, 0, 240);
      const began = performance.now();
      const { stdout } = await project.ragdock('secrets', 'rotate', name, secret, '--to', String(old + 1));
      // As it said.
      expect([...stdout.matchAll(/is replaced: (\S+)/g)].map(([, service]) => service)).toEqual([...replaced]);
      const deploying = performance.now();
      if (drill.cutAfter !== undefined) {
        await deployCutAfter(deployment, drill.cutAfter);
        expect(await opens(old), 'the old version opens after the deploy was cut off').toBe(true);
      }
      await project.deploy();
      const deployed = performance.now();
      await engine.allHealthy(600);
      await until('the new version opens', () => opens(old + 1), 120);
      if (drill.overlaps) expect(await opens(old), 'the old version opens beside it').toBe(true);
      await enough(questions, performance.now(), 300);
      const closed = await until('the old version opens nothing any more', async () => !(await opens(old)), 180);
      expect(closed).toBe(true);
      const refusedAfter = performance.now();
      await stayed?.();
      await enough(questions, performance.now(), 300);
      const all = await questions.stop();

      const after = await running();
      const changed = engine.services.filter(
        (service) =>
          after[service]?.id !== before[service]?.id || after[service]?.startedAt !== before[service]?.startedAt,
      );
      report(`${name} ${secret}`, all, {
        deploy: deployed - deploying,
        'old version refused after': refusedAfter - began,
        replaced: changed,
      });
      expect(changed).toEqual([...replaced].sort());
      expect(all.filter((asked) => !isAllowed(asked, meanwhile))).toEqual([]);
      await wholeAnswersAreKept(questions, all);
    } finally {
      await questions.stop();
    }
    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
    const smoke = await project.tryRagdock('smoke', name, '--timeout', '300');
    expect(smoke.code, smoke.stdout + smoke.stderr).toBe(0);
    const stored = readFileSync(join(project.secretsFolder, `${secret}.v${old + 1}`), 'utf8');
    expect(smoke.stdout + smoke.stderr).not.toContain(stored);
  });
}

function isAllowed(asked: Asked, meanwhile: Drill['meanwhile'] = {}): boolean {
  const { degraded = [] } = meanwhile;
  const known = new Set([...degraded, ...(degraded.length > 0 ? [NOTICED] : [])]);
  if (asked.degraded.some((part) => !known.has(part))) return false;
  if (asked.outcome === 'answered') return true;
  // The chat says both in sentences of its own.
  if (asked.outcome === 'broken') {
    return meanwhile.breaks === true && (asked.by === 'api' || asked.detail === FAILURES.answer_truncated.text);
  }
  if (!meanwhile.refusals) return false;
  if (asked.by === 'chat') return REFUSALS_IN_CHAT.has(asked.detail);
  return meanwhile.refusals.test(asked.detail) && (!asked.detail.startsWith('503') || (asked.retryAfter ?? 0) > 0);
}

/** What looked like a whole answer was one: the API has kept the same text, as complete. */
async function wholeAnswersAreKept(questions: Questions, all: readonly Asked[]): Promise<void> {
  const whole = all.filter(({ outcome, exchangeId, degraded }) => {
    return outcome === 'answered' && exchangeId !== undefined && !degraded.includes('history');
  });
  expect(whole.length).toBeGreaterThanOrEqual(ENOUGH);
  for (const { exchangeId = '', text } of whole) {
    expect(await questions.kept(exchangeId), exchangeId).toMatchObject({ status: 'complete', answer: text });
  }
}

/** For people: how long questions failed, and how. */
function report(title: string, all: readonly Asked[], facts: Readonly<Record<string, unknown>>): void {
  const failed = all.filter(({ outcome, degraded }) => outcome !== 'answered' || degraded.length > 0);
  const [first] = failed;
  const last = failed.at(-1);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const outage = first && last ? seconds(Math.max(...failed.map(({ to }) => to)) - first.from) : 'none';
  const kinds = new Map<string, number>();
  for (const { by, outcome, detail, degraded } of failed) {
    const kind = `${by} ${outcome} ${detail} ${degraded.join(',')}`.trim();
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const lines = [
    `${title}: ${all.length} questions, ${failed.length} refused, broken or degraded; outage ${outage}`,
    ...[...kinds].map(([kind, count]) => `  ${count} × ${kind}`),
    ...Object.entries(facts).map(([fact, value]) => `  ${fact}: ${typeof value === 'number' ? seconds(value) : value}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
