import type Docker from 'dockerode';
import type { SmokeLevel } from '../apps/operator/smoke/level.js';
import { newRun, sweepSessions } from '../operator/session.js';
import type { DescribedStack } from '../operator/stack.js';
import type { SessionGroup } from './reach.js';
import { type SessionWork, type SmokeOutcome, SmokeSession } from './session.js';
import { pathOf } from './targets.js';

type Heard = Parameters<SessionWork['onEvent']>[0];

/** What the sessions of one run do together. */
export interface SessionsWork {
  /** What each of them asks. */
  readonly groups: readonly SessionGroup[];
  /** Id of the image of the bundled apps. */
  readonly image: string;
  readonly level: SmokeLevel;
  /** Longest time for the checks of each, in seconds. */
  readonly timeoutSeconds: number;
  /** Ids of services that need not be asked any more. */
  readonly failed: readonly string[];
  /** Asked in the place of one about a scratch document. @default - a document is brought in */
  readonly question: string | undefined;
  /** Ends all of them. */
  readonly signal: AbortSignal;
  /** Told what one says of services, with its index. */
  readonly onEvent: (event: Heard, from: number) => void;
}

/**
 * All sessions that ask one stack from inside, one for each user that can read keys; what is said to them, all hear. One
 * of them walks the whole path.
 */
export class SmokeSessions {
  readonly #sessions: readonly SmokeSession[];

  private constructor(sessions: readonly SmokeSession[]) {
    this.#sessions = sessions;
  }

  /** Starts all of them, after what earlier runs have left is swept away. */
  static async start(docker: Docker, stack: DescribedStack, work: SessionsWork): Promise<SmokeSessions> {
    const { topology, services } = stack;
    const { groups, level, question, timeoutSeconds } = work;
    const runs = groups.map(() => newRun());
    // None of them takes away what another one makes.
    const liveRuns = [...(await sweepSessions(docker, topology.environment)), ...runs];
    const walking = groups.find(({ sources }) => sources.some(({ service }) => service === services.api)) ?? groups[0];
    return new SmokeSessions(
      groups.map((group, index) => {
        const { access, sources } = group;
        return new SmokeSession(docker, topology, {
          access,
          image: work.image,
          plan: {
            run: runs[index] ?? newRun(),
            liveRuns,
            timeoutSeconds,
            level: group === walking || level === 'up' ? level : 'service',
            targets: sources.map(({ target }) => target(access)),
            failed: [...work.failed],
            path: { ...pathOf(stack), ...(question === undefined ? {} : { question }) },
          },
          signal: work.signal,
          onEvent: (event) => work.onEvent(event, index),
        });
      }),
    );
  }

  /** Resolves when every check of every session has its result, or its session is over. */
  get asked(): Promise<unknown> {
    return Promise.all(this.#sessions.map((session) => session.asked));
  }

  /**
   * Resolves when all of them have ended with a result of every check.
   *
   * @param early makes the error of a session that ended without one
   * @throws that error, or RagdockError SESSION_FAILED, of the first session it comes to; the others are not waited for
   */
  async ended(early: (outcome: SmokeOutcome) => Error): Promise<void> {
    await Promise.all(
      this.#sessions.map(async (session) => {
        const outcome = await session.ended;
        if (!outcome.done) throw early(outcome);
      }),
    );
  }

  /** Resolves when all of them are over, however that came. */
  async over(): Promise<void> {
    await Promise.allSettled(this.#sessions.map((session) => session.ended));
  }

  /** A service has failed, so that nobody waits for it. @param from index of the session that knows. @default - none does */
  tellFailed(service: string, came: string, from?: number): void {
    for (const [index, session] of this.#sessions.entries()) {
      if (index !== from) session.tell({ command: 'failed', service, came });
    }
  }

  /** Whether one of them was given this secret, and takes it out of texts. */
  given(secret: string): boolean {
    return this.#sessions.some(({ given }) => given.has(secret));
  }

  /** The text without the secrets that any of them was given; undefined when one does not answer. */
  async mask(text: string): Promise<string | undefined> {
    let masked: string | undefined = text;
    for (const session of this.#sessions) if (masked !== undefined) masked = await session.mask(masked);
    return masked;
  }

  /** Nothing more is asked: they clean up and end. */
  end(): void {
    for (const session of this.#sessions) session.end();
  }
}
