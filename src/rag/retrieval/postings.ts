/** Room of new postings; most terms are in few texts. */
const FIRST_ROOM = 2;

/**
 * Which texts have a term, and how often, in 8 bytes for each. Texts are known by numbers that only grow; those that are
 * gone stay until `renumber`.
 */
export class Postings {
  #numbers = new Uint32Array(FIRST_ROOM);
  #counts = new Uint32Array(FIRST_ROOM);
  #used = 0;
  #gone = 0;

  /** Texts that have the term, without those that are gone. */
  get size(): number {
    return this.#used - this.#gone;
  }

  get isNew(): boolean {
    return this.#used === 0;
  }

  add(number: number, count: number): void {
    if (this.#used === this.#numbers.length) {
      this.#numbers = grown(this.#numbers);
      this.#counts = grown(this.#counts);
    }
    this.#numbers[this.#used] = number;
    this.#counts[this.#used] = count;
    this.#used += 1;
  }

  /** One of the texts is gone. */
  forgetOne(): void {
    this.#gone += 1;
  }

  /** Also the texts that are gone: whoever looks knows them by their number. */
  forEach(visit: (number: number, count: number) => void): void {
    for (let index = 0; index < this.#used; index += 1) {
      visit(this.#numbers[index] ?? 0, this.#counts[index] ?? 0);
    }
  }

  /** Gives every text its new number; those without one are gone. */
  renumber(numbers: ReadonlyMap<number, number>): void {
    let used = 0;
    this.forEach((number, count) => {
      const renumbered = numbers.get(number);
      if (renumbered === undefined) return;
      this.#numbers[used] = renumbered;
      this.#counts[used] = count;
      used += 1;
    });
    this.#used = used;
    this.#gone = 0;
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
