import type {
  CollectionResult,
  Credential,
  Exchange,
  ExchangeOutcome,
  FeedbackToFollow,
  FeedbackValue,
  History,
  HistoryPage,
  HistoryQuery,
  NewExchange,
  Passage,
  PassageStore,
  Retrieval,
  SearchResult,
  StoredPassage,
} from '../../src/rag/ports.js';

/** A passage with everything that a test does not name filled in. */
export function passage(fields: Partial<Passage> = {}): Passage {
  const text = fields.text ?? 'Векторная база хранит эмбеддинги.';
  return {
    collection: 'BD_curs_data',
    id: '00000000-0000-4000-8000-000000000001',
    text,
    source: 'lecture.md',
    title: 'Лекция',
    heading: 'Введение',
    contentHash: `hash of ${text}`,
    score: 1,
    ...fields,
  };
}

/** Gives what a test put into it. */
export class MemoryRetrieval implements Retrieval {
  results: readonly CollectionResult[] | ((signal: AbortSignal) => Promise<readonly CollectionResult[]>);
  readonly queries: { readonly query: string; readonly course: string }[] = [];
  failure: Error | undefined;
  /** Why no vectors were compared. */
  vectorFailure: Error | undefined;

  constructor(...passages: Passage[]) {
    this.results = [{ collection: 'BD_curs_data', passages }];
  }

  async search(query: string, course: string, signal: AbortSignal): Promise<SearchResult> {
    this.queries.push({ query, course });
    const collections = typeof this.results === 'function' ? await this.results(signal) : this.results;
    return { collections, vectorFailure: this.vectorFailure };
  }

  async check(): Promise<void> {
    if (this.failure) throw this.failure;
  }

  async close(): Promise<void> {}
}

/** Keeps exchanges in memory; a test may make it fail, or wait. */
export class MemoryHistory implements History {
  readonly exchanges = new Map<string, Exchange>();
  /** Runs before each operation; what it throws is the operation's error. */
  before: (operation: 'begin' | 'finish' | 'find' | 'list' | 'rate' | 'forget') => void | Promise<void> = () =>
    undefined;
  failure: Error | undefined;
  readonly #revisions = new Map<string, number>();
  readonly #followed = new Map<string, number>();

  async begin(exchange: NewExchange): Promise<void> {
    await this.before('begin');
    this.exchanges.set(exchange.id, {
      ...exchange,
      status: 'running',
      createdAt: exchange.askedAt ?? new Date(),
      finishedAt: undefined,
      answer: '',
      refused: false,
      sources: [],
      degraded: [],
      timings: {},
    });
  }

  async finish(id: string, outcome: ExchangeOutcome): Promise<void> {
    await this.before('finish');
    const begun = this.exchanges.get(id);
    if (!begun) throw new Error(`exchange ${id} was never begun`);
    this.exchanges.set(id, { ...begun, ...outcome, finishedAt: outcome.finishedAt ?? new Date() });
  }

  async find(id: string): Promise<Exchange | undefined> {
    await this.before('find');
    return this.exchanges.get(id);
  }

  async list({ userName, course, limit, before }: HistoryQuery): Promise<HistoryPage> {
    await this.before('list');
    const all = [...this.exchanges.values()]
      .filter((one) => one.userName === userName && (course === undefined || one.course === course))
      .reverse();
    const rest = before ? all.slice(all.findIndex(({ id }) => id === before.id) + 1) : all;
    const exchanges = rest.slice(0, limit);
    const last = rest.length > limit ? exchanges.at(-1) : undefined;
    return { exchanges, next: last && { micros: String(last.createdAt.getTime() * 1000), id: last.id } };
  }

  async rate(id: string, value: FeedbackValue, comment: string | undefined): Promise<boolean> {
    await this.before('rate');
    const found = this.exchanges.get(id);
    if (found) this.exchanges.set(id, { ...found, feedback: { value, comment, givenAt: new Date() } });
    if (found) this.#revisions.set(id, (this.#revisions.get(id) ?? 0) + 1);
    return found !== undefined;
  }

  async toFollow(limit: number): Promise<readonly FeedbackToFollow[]> {
    const isPraise = (id: string) => Number(this.exchanges.get(id)?.feedback?.value === 'positive');
    return [...this.#revisions]
      .filter(([id, revision]) => (this.#followed.get(id) ?? 0) < revision)
      .filter(([id]) => this.exchanges.get(id)?.status !== 'running')
      .sort(([a], [b]) => isPraise(a) - isPraise(b))
      .slice(0, limit)
      .map(([exchangeId, revision]) => ({ exchangeId, revision }));
  }

  async followed({ exchangeId, revision }: FeedbackToFollow): Promise<void> {
    this.#followed.set(exchangeId, revision);
  }

  async forget(userName: string): Promise<number> {
    await this.before('forget');
    const gone = [...this.exchanges.values()].filter((one) => one.userName === userName);
    for (const { id } of gone) {
      this.exchanges.delete(id);
      this.#revisions.delete(id);
    }
    return gone.length;
  }

  async abandon(): Promise<number> {
    return 0;
  }

  async check(): Promise<void> {
    if (this.failure) throw this.failure;
  }

  async close(): Promise<void> {}

  /** Whether an exchange has ended so; a question is begun a moment after it was put. */
  hasEnded(status: Exchange['status']): boolean {
    return [...this.exchanges.values()].some((exchange) => exchange.status === status);
  }

  /** The only exchange there is. */
  get only(): Exchange {
    const [exchange, ...others] = this.exchanges.values();
    if (!exchange || others.length > 0) throw new Error(`there are ${this.exchanges.size} exchanges`);
    return exchange;
  }
}

/** Keeps passages in memory, with every call that changed something. */
export class MemoryStore implements PassageStore {
  readonly passages = new Map<string, StoredPassage>();
  readonly calls: string[] = [];
  beforePut: (passages: readonly StoredPassage[]) => void | Promise<void> = () => undefined;

  async count({ course, source }: { course: string; source: string }, documentHash: string) {
    const all = [...this.passages.values()].filter((one) => one.course === course && one.source === source);
    return { all: all.length, current: all.filter((one) => one.documentHash === documentHash).length };
  }

  async idsOf({ course, source }: { course: string; source: string }, title: string): Promise<ReadonlySet<string>> {
    const all = [...this.passages.values()].filter((one) => one.course === course && one.source === source);
    return new Set(all.filter((one) => one.title === title).map(({ id }) => id));
  }

  async adopt(ids: readonly string[], documentHash: string): Promise<boolean> {
    if (ids.length > 0) this.calls.push(`adopt ${ids.length}`);
    for (const id of ids) {
      const passage = this.passages.get(id);
      if (passage) this.passages.set(id, { ...passage, documentHash });
    }
    return ids.every((id) => this.passages.has(id));
  }

  async put(passages: readonly StoredPassage[]): Promise<void> {
    await this.beforePut(passages);
    this.calls.push(`put ${passages.length}`);
    for (const one of passages) this.passages.set(one.id, one);
  }

  async removeOthers({ course, source }: { course: string; source: string }, documentHash: string): Promise<void> {
    this.calls.push('remove');
    for (const [id, one] of this.passages) {
      if (one.course === course && one.source === source && one.documentHash !== documentHash) this.passages.delete(id);
    }
  }

  async close(): Promise<void> {}
}

/** A secret that changes to the next value whenever it is read anew. */
export class RotatingCredential implements Credential {
  readonly #values: readonly string[];
  reads = 0;

  constructor(...values: readonly string[]) {
    this.#values = values;
  }

  current(): string {
    return this.#values[Math.min(this.reads, this.#values.length - 1)] ?? '';
  }

  async refresh(): Promise<string> {
    this.reads += 1;
    return this.current();
  }
}
