import { hashOf } from './ingest/identity.js';
import type { Exchange, FeedbackToFollow, History, StoredPassage } from './ports.js';

/** How much feedback is looked at in one step. */
const STEP = 50;

/** Longest title of a learned passage, in characters: the beginning of the question. */
const TITLE_CHARACTERS = 80;

/** A passage that was made from an exchange. Its id is the exchange's. */
export interface LearnedPassage extends StoredPassage {
  readonly userName: string;
}

/** The points that were made from exchanges, in whichever collections they are. */
export interface LearnedPassages {
  /** Whether new ones are to be made. */
  readonly learns: boolean;
  put(passage: LearnedPassage): Promise<void>;
  /** Removes what was made of an exchange; nothing, where nothing was. */
  remove(exchangeId: string): Promise<void>;
  /** Removes what was made of all exchanges of a user. Rejects unless every collection did. */
  removeUser(userName: string): Promise<void>;
  close(): Promise<void>;
}

/** Told what the learner does. */
export interface LearnerObserver {
  followed(exchangeId: string, what: 'put' | 'removed'): void;
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

  /** Removes the points of a user whose exchanges are gone. */
  async forget(userName: string): Promise<void> {
    await this.#passages.removeUser(userName);
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        for (;;) {
          const step = await this.#history.toFollow(STEP);
          for (const feedback of step) await this.#followOne(feedback);
          if (step.length < STEP) break;
        }
      }
    } catch (error) {
      this.#observer.failed(error);
    }
  }

  async #followOne(feedback: FeedbackToFollow): Promise<void> {
    const { exchangeId } = feedback;
    const exchange = await this.#history.find(exchangeId);
    if (exchange && this.#passages.learns && isWorthLearning(exchange)) {
      await this.#passages.put(passageFrom(exchange));
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
}

/** Whether an exchange is one to answer others from: complete, from the material, with all components, and praised. */
export function isWorthLearning(exchange: Exchange): boolean {
  const { status, refused, degraded, sources, finishReason, feedback } = exchange;
  const whole = status === 'complete' && !refused && finishReason !== 'length';
  return whole && degraded.length === 0 && sources.length > 0 && feedback?.value === 'positive';
}

export function passageFrom({ id, question, answer, course, userName }: Exchange): LearnedPassage {
  const text = `${question}\n\n${answer}`;
  const contentHash = hashOf(question, answer);
  const title = [...question.replace(/\s+/g, ' ')].slice(0, TITLE_CHARACTERS).join('');
  return {
    id,
    text,
    source: `history/${id}`,
    title,
    heading: '',
    course,
    contentHash,
    documentHash: contentHash,
    chunk: 0,
    userName,
  };
}
