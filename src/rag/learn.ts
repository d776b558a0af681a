import { withoutCitations } from './citations.js';
import { hashOf } from './ingest/identity.js';
import type { Exchange, FeedbackToFollow, History, StoredPassage } from './ports.js';

/** How much feedback is looked at in one step. */
const STEP = 50;

/** Longest title of a learned passage, in characters: the beginning of the question. */
const TITLE_CHARACTERS = 80;

/** What the source of a learned passage begins with; the rest is the exchange. */
export const LEARNED_PREFIX = 'history/';

/** A passage that was made from an exchange. Its id is the exchange's. */
export interface LearnedPassage extends StoredPassage {
  readonly userName: string;
}

/** The points that were made from exchanges, in whichever collections they are. */
export interface LearnedPassages {
  /** Whether new ones are to be made. */
  readonly learns: boolean;
  /** Rejects with `Unlearnable` when this passage will never be taken; with anything else when it may be later. */
  put(passage: LearnedPassage): Promise<void>;
  /** Removes what was made of an exchange; nothing, where nothing was. */
  remove(exchangeId: string): Promise<void>;
  /** Removes what was made of all exchanges of a user. Rejects unless every collection did. */
  removeUser(userName: string): Promise<void>;
  close(): Promise<void>;
}

/** A passage that is refused for what it is, however often it is tried. What refused it is the `cause`. */
export class Unlearnable extends Error {
  override readonly name = 'Unlearnable';
}

/** Told what the learner does. */
export interface LearnerObserver {
  followed(exchangeId: string, what: 'put' | 'removed'): void;
  /** The exchange cannot be learned, and is not tried again. */
  gaveUp(exchangeId: string, cause: unknown): void;
  /** Feedback stays to be followed, and is looked at again. */
  failed(cause: unknown): void;
}

/** Makes passages of exchanges that users were content with, and takes them back when they are not any more. */
export class Learner {
  readonly #history: History;
  readonly #passages: LearnedPassages;
  readonly #observer: LearnerObserver;
  #following: Promise<void> | undefined;
  #again = false;
  /** What the collections are changed by now, or were last; never rejects. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(history: History, passages: LearnedPassages, observer: LearnerObserver) {
    this.#history = history;
    this.#passages = passages;
    this.#observer = observer;
  }

  /** Follows what was said up to now, one thing after the other; never rejects. */
  async follow(): Promise<void> {
    this.#again = true;
    this.#following ??= this.#run().finally(() => {
      this.#following = undefined;
    });
    await this.#following;
  }

  /** Removes the points of a user whose exchanges are gone: also the one that is made of them at the moment. */
  async forget(userName: string): Promise<void> {
    await this.#inTurn(() => this.#passages.removeUser(userName));
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#followAll();
      }
    } catch (error) {
      this.#observer.failed(error);
    }
  }

  /** What cannot be followed now is left for the next time, and does not keep back what comes after it. */
  async #followAll(): Promise<void> {
    const failed = new Set<string>();
    for (;;) {
      const found = await this.#history.toFollow(STEP + failed.size);
      const step = found.filter((feedback) => !failed.has(keyOf(feedback)));
      const before = failed.size;
      for (const feedback of step) {
        try {
          await this.#inTurn(() => this.#followOne(feedback));
        } catch (error) {
          failed.add(keyOf(feedback));
          this.#observer.failed(error);
        }
      }
      // Where nothing at all succeeds, a server is down: every further attempt would wait for it.
      if (step.length < STEP || failed.size - before === step.length) return;
    }
  }

  async #followOne(feedback: FeedbackToFollow): Promise<void> {
    const { exchangeId } = feedback;
    const exchange = await this.#history.find(exchangeId);
    if (exchange && this.#passages.learns && isWorthLearning(exchange)) {
      try {
        await this.#passages.put(passageFrom(exchange));
      } catch (error) {
        if (!(error instanceof Unlearnable)) throw error;
        this.#observer.gaveUp(exchangeId, error);
        await this.#history.followed(feedback);
        return;
      }
      // The user may have been forgotten, or have changed their mind, between the look and the point.
      const now = await this.#history.find(exchangeId);
      if (now && isWorthLearning(now)) this.#observer.followed(exchangeId, 'put');
      else await this.#passages.remove(exchangeId);
    } else {
      await this.#passages.remove(exchangeId);
      this.#observer.followed(exchangeId, 'removed');
    }
    await this.#history.followed(feedback);
  }

  /** One change at a time, in the order in which they are asked for. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#turn.then(change);
    this.#turn = changed.catch(() => undefined);
    return changed;
  }
}

const keyOf = ({ exchangeId, revision }: FeedbackToFollow): string => `${exchangeId} ${revision}`;

/** Whether an exchange is one to answer others from: complete, from the material, with all components, and praised. */
export function isWorthLearning(exchange: Exchange): boolean {
  const { status, refused, degraded, sources, finishReason, feedback } = exchange;
  const whole = status === 'complete' && !refused && finishReason !== 'length';
  return whole && degraded.length === 0 && sources.length > 0 && feedback?.value === 'positive';
}

export function passageFrom({ id, question, answer, sources, course, userName }: Exchange): LearnedPassage {
  // The numbers are of passages that another question does not get; its answer would cite others by them.
  const text = `${question}\n\n${withoutCitations(answer, sources.length)}`;
  const contentHash = hashOf(question, answer);
  const title = [...question.replace(/\s+/g, ' ')].slice(0, TITLE_CHARACTERS).join('');
  return {
    id,
    text,
    source: `${LEARNED_PREFIX}${id}`,
    title,
    heading: '',
    course,
    contentHash,
    documentHash: contentHash,
    chunk: 0,
    userName,
  };
}
