import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Topology } from '../../constructs/engines/docker/index.js';
import { type SmokeCommand, SmokeEvent, type SmokePlan } from '../apps/operator/smoke/protocol.js';
import { CommandQueue } from '../operator/command-queue.js';
import { parseEvent } from '../operator/events.js';
import { runSession, type SessionOutcome } from '../operator/session.js';
import type { SessionAccess } from '../operator/session-access.js';
import { planSession } from '../operator/session-plan.js';

/** Beyond the checks' own time: starting, and cleaning up what was cut off. In seconds. */
const SESSION_MARGIN_SECONDS = 60;
const CLEANUP_SECONDS = 20;

/** Longest wait for the masked form of a text, in milliseconds. */
const MASK_MS = 10_000;

/** What one session does. */
export interface SessionWork {
  readonly access: SessionAccess;
  /** Id of the image of the bundled apps. */
  readonly image: string;
  readonly plan: SmokePlan;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told what it says of services. */
  readonly onEvent: (event: Extract<SmokeEvent, { event: 'check' | 'waiting' }>) => void;
}

/** How a session ended, and whether every check had its result by then. */
export type SmokeOutcome = SessionOutcome & { readonly done: boolean };

/** One session that asks from inside, as this side has it. It runs from its making on. */
export class SmokeSession {
  /** Names of the secrets that it was given, and takes out of texts. */
  readonly given: ReadonlySet<string>;
  /** Resolves when every check has its result, or the session is over. */
  readonly asked: Promise<void>;
  /** @throws RagdockError SESSION_FAILED when it outlives its time or says what nobody understands */
  readonly ended: Promise<SmokeOutcome>;
  readonly #queue = new CommandQueue();
  readonly #masked = new Map<number, (text: string) => void>();
  readonly #onEvent: SessionWork['onEvent'];
  #done = false;
  #sayAsked: () => void = () => undefined;

  constructor(docker: Docker, topology: Topology, { access, image, plan, signal, onEvent }: SessionWork) {
    this.given = access.given;
    this.#onEvent = onEvent;
    this.asked = new Promise((resolve) => {
      this.#sayAsked = resolve;
    });
    const deadlineSeconds = plan.timeoutSeconds + SESSION_MARGIN_SECONDS;
    const needs = {
      purpose: 'smoke',
      command: ['operator-smoke'],
      connections: [],
      deadlineSeconds,
      memoryMiB: 256,
    } as const;
    this.#queue.push(plan);
    this.ended = runSession(docker, planSession(topology, needs, access, { image, run: plan.run }), {
      input: this.#queue,
      signal,
      deadlineSeconds,
      cleanupSeconds: CLEANUP_SECONDS,
      onLine: (line) => this.#hear(parseEvent(SmokeEvent, line)),
    })
      .then((outcome) => ({ ...outcome, done: this.#done }))
      .finally(() => this.#sayAsked());
    // Whoever waits for its end is told; until then nobody may be waiting.
    this.ended.catch(() => undefined);
  }

  tell(command: SmokeCommand): void {
    this.#queue.push(command);
  }

  /** The text without the secrets that the session was given; undefined when it does not answer. */
  async mask(text: string): Promise<string | undefined> {
    const id = this.#masked.size;
    const reply = new Promise<string>((resolve) => this.#masked.set(id, resolve));
    this.tell({ command: 'mask', id, text });
    const over = this.ended.then(
      () => undefined,
      () => undefined,
    );
    return Promise.race([reply, over, delay(MASK_MS, undefined, { ref: false })]);
  }

  /** Nothing more is asked of it: it cleans up and ends. */
  end(): void {
    this.#queue.end();
  }

  #hear(event: SmokeEvent): void {
    if (event.event === 'masked') this.#masked.get(event.id)?.(event.text);
    else if (event.event === 'done') {
      this.#done = true;
      this.#sayAsked();
    } else this.#onEvent(event);
  }
}
