/**
 * Numbers of operations, and the versions of points that follow from them, as distances from a common start.
 *
 * They count every write to a collection. A measurement may have written without the recording saying how often; the
 * next number is then taken as the new start. Everything after it has to agree again.
 */
export class OperationNumbers {
  readonly #shifts = new Map<string, { from: number; shift: number }[]>();
  readonly #unknown = new Set<string>();
  #pending = new Map<string, number>();

  /** Something wrote without saying how often. */
  loseCount(): void {
    for (const collection of this.#shifts.keys()) {
      this.#unknown.add(collection);
    }
  }

  forget(): void {
    this.#shifts.clear();
    this.#unknown.clear();
  }

  /** The recorded answer; its numbers are kept for `given`. */
  recorded(collection: string, body: unknown): unknown {
    this.#pending = new Map();
    const number = operationId(body);
    if (number !== undefined) {
      this.#pending.set(collection, number);
    }
    return body;
  }

  /** The stand-in's answer with its numbers moved to the recording's. */
  given(collection: string, body: unknown): unknown {
    const expected = this.#pending.get(collection);
    const number = operationId(body);
    if (expected !== undefined && number !== undefined && this.#starts(collection)) {
      this.#unknown.delete(collection);
      const shifts = this.#shifts.get(collection) ?? [];
      shifts.push({ from: number, shift: expected - number });
      this.#shifts.set(collection, shifts);
    }
    return this.#moved(collection, body);
  }

  #starts(collection: string): boolean {
    return !this.#shifts.has(collection) || this.#unknown.has(collection);
  }

  #moved(collection: string, value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((item) => this.#moved(collection, item));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        (name === 'operation_id' || (name === 'version' && 'score' in value)) && typeof member === 'number'
          ? member + this.#shift(collection, member)
          : this.#moved(collection, member),
      ]),
    );
  }

  #shift(collection: string, number: number): number {
    const shifts = this.#shifts.get(collection) ?? [];
    return shifts.findLast(({ from }) => number >= from)?.shift ?? 0;
  }
}

function operationId(body: unknown): number | undefined {
  const result = typeof body === 'object' && body !== null && 'result' in body ? body.result : undefined;
  const value =
    typeof result === 'object' && result !== null && 'operation_id' in result ? result.operation_id : undefined;
  return typeof value === 'number' ? value : undefined;
}
