/** A source that fails is tried again after this time at most, in milliseconds. */
const RETRY_MS = 15_000;

/** What one reading is: its source's name, how often and how it is read. */
export interface ReadingProps<T> {
  /** Value of the label `source`. */
  readonly source: string;
  /** Time between two attempts, in milliseconds. */
  readonly intervalMs: number;
  /** Has to end by itself: the next attempt waits for it. */
  readonly read: () => Promise<T>;
  /** Told of a source that fails, once until it works again. */
  readonly onFailure?: (error: unknown) => void;
  /** Told of a source that works again. */
  readonly onRecovery?: () => void;
}

/**
 * A source that is read at its own pace, whoever asks for the result and how often. What was read is gone with the first
 * attempt that fails: a number that nobody can vouch for is none.
 */
export class Reading<T> {
  readonly source: string;
  readonly #props: ReadingProps<T>;
  #value: T | undefined;
  #failed = false;
  #lastRead: number | undefined;
  #seconds = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(props: ReadingProps<T>) {
    this.source = props.source;
    this.#props = props;
  }

  /** What the last attempt gave; undefined when it failed, or none has ended. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Unix seconds of the last attempt that succeeded; undefined before the first one. */
  get lastRead(): number | undefined {
    return this.#lastRead;
  }

  /** How long the last attempt took, in seconds. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Reads now and from now on; resolves, and never rejects, when the first attempt has ended. */
  start(): Promise<void> {
    this.#running = this.#attempt();
    return this.#running;
  }

  /** Resolves when nothing is being read any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #attempt(): Promise<void> {
    const began = performance.now();
    try {
      this.#value = await this.#props.read();
      this.#lastRead = Date.now() / 1000;
      if (this.#failed) this.#props.onRecovery?.();
      this.#failed = false;
    } catch (error) {
      this.#value = undefined;
      if (!this.#failed) this.#props.onFailure?.(error);
      this.#failed = true;
    }
    this.#seconds = (performance.now() - began) / 1000;
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => {
        this.#running = this.#attempt();
      },
      this.#failed ? Math.min(RETRY_MS, this.#props.intervalMs) : this.#props.intervalMs,
    );
  }
}
