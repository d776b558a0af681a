import type { LogLine } from './lines.js';

/** How far a log has been read, so that it can be read on: no line twice, none left out. */
export class Position {
  #time = '';
  /** How many lines of that very time were read. */
  #count = 0;
  #resume = { time: '', count: 0 };

  /** The time of the last line; empty when there was none. */
  get time(): string {
    return this.#time;
  }

  /** The log is opened once more, from the time of the last line on. */
  reopened(): void {
    this.#resume = { time: this.#time, count: this.#count };
  }

  /** The log is another one, of a container that took the place of the first. */
  reset(): void {
    this.#time = '';
    this.#count = 0;
    this.reopened();
  }

  /** Whether a line is one that was not read before; notes that it is now. */
  isNew({ time }: LogLine): boolean {
    if (time < this.#resume.time) return false;
    if (time === this.#resume.time && this.#resume.count > 0) {
      this.#resume.count -= 1;
      return false;
    }
    if (time === this.#time) this.#count += 1;
    else if (time > this.#time) {
      this.#time = time;
      this.#count = 1;
    }
    return true;
  }
}
