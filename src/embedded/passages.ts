import { abortReason } from '../rag/failure.js';
import { searchedText } from '../rag/origin.js';
import type { DocumentKey, Passage, PassageStore, Retrieval, SearchResult, StoredPassage } from '../rag/ports.js';
import { Bm25Index } from '../rag/retrieval/bm25-index.js';
import { withHeadroom } from '../rag/retrieval/headroom.js';
import type { Database } from './database.js';

const TABLE = `
  CREATE SCHEMA IF NOT EXISTS embedded;
  CREATE TABLE IF NOT EXISTS embedded.passages (
    collection text NOT NULL,
    id uuid NOT NULL,
    course text NOT NULL,
    source text NOT NULL,
    title text NOT NULL,
    heading text NOT NULL,
    text text NOT NULL,
    content_hash text NOT NULL,
    document_hash text NOT NULL,
    chunk integer NOT NULL,
    PRIMARY KEY (collection, id)
  );
  CREATE INDEX IF NOT EXISTS passages_of_document ON embedded.passages (collection, course, source);
`;

const COLUMNS = 'id, course, source, title, heading, text, content_hash, document_hash, chunk';

/** A row of `embedded.passages`. */
interface Row {
  readonly collection: string;
  readonly id: string;
  readonly course: string;
  readonly source: string;
  readonly title: string;
  readonly heading: string;
  readonly text: string;
  readonly content_hash: string;
  readonly document_hash: string;
  readonly chunk: number;
}

/** A collection of the embedded default. */
export interface EmbeddedCollection {
  readonly name: string;
  /** Passages for one question. */
  readonly limit: number;
}

/**
 * Passages, kept in the database of this process and searched in its memory: all that is searched is kept, and a start
 * reads all that is kept.
 */
export class EmbeddedPassages implements Retrieval {
  readonly #collections: readonly EmbeddedCollection[];
  readonly #stores: ReadonlyMap<string, EmbeddedStore>;

  private constructor(collections: readonly EmbeddedCollection[], database: Database) {
    this.#collections = collections;
    this.#stores = new Map(collections.map(({ name }) => [name, new EmbeddedStore(name, database)]));
  }

  static async open(database: Database, collections: readonly EmbeddedCollection[]): Promise<EmbeddedPassages> {
    await database.transaction((client) => client.query(TABLE));
    const passages = new EmbeddedPassages(collections, database);
    for (const store of passages.#stores.values()) await store.load();
    return passages;
  }

  /** Courses that have passages, sorted. */
  get courses(): readonly string[] {
    return [...new Set([...this.#stores.values()].flatMap((store) => store.courses))].sort();
  }

  /** Where the passages of a collection go; closing it changes nothing. */
  store(collection: string): PassageStore {
    const store = this.#stores.get(collection);
    if (!store) throw new Error(`there is no collection ${collection}`);
    return store;
  }

  /** Removes every document of a collection whose name begins so, in all courses. */
  async removeSources(collection: string, prefix: string): Promise<void> {
    await this.#stores.get(collection)?.removeSources(prefix);
  }

  async search(query: string, course: string, signal: AbortSignal): Promise<SearchResult> {
    if (signal.aborted) throw abortReason(signal);
    const collections = this.#collections.map(({ name, limit }) => ({
      collection: name,
      limit,
      passages: this.#stores.get(name)?.search(query, course, withHeadroom(limit)) ?? [],
    }));
    return { collections };
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}

/** One collection. */
class EmbeddedStore implements PassageStore {
  readonly #collection: string;
  readonly #database: Database;
  readonly #index = new Bm25Index();
  readonly #passages = new Map<string, StoredPassage>();

  constructor(collection: string, database: Database) {
    this.#collection = collection;
    this.#database = database;
  }

  get courses(): readonly string[] {
    return [...new Set([...this.#passages.values()].map(({ course }) => course))];
  }

  async load(): Promise<void> {
    const { rows } = await this.#database.query<Row>({
      text: `SELECT ${COLUMNS} FROM embedded.passages WHERE collection = $1 ORDER BY id`,
      values: [this.#collection],
    });
    for (const row of rows) this.#remember(passageOf(row));
  }

  search(query: string, course: string, limit: number): readonly Passage[] {
    return this.#index.search(query, course, limit).flatMap(({ id, score }) => {
      const passage = this.#passages.get(id);
      if (!passage) return [];
      const { text, source, title, heading, contentHash } = passage;
      return [{ collection: this.#collection, id, text, source, title, heading, contentHash, score }];
    });
  }

  async count(key: DocumentKey, documentHash: string): Promise<{ all: number; current: number }> {
    const document = this.#document(key);
    return {
      all: document.length,
      current: document.filter((passage) => passage.documentHash === documentHash).length,
    };
  }

  async idsOf(key: DocumentKey, title: string): Promise<ReadonlySet<string>> {
    return new Set(this.#document(key).flatMap((passage) => (passage.title === title ? [passage.id] : [])));
  }

  async adopt(ids: readonly string[], documentHash: string): Promise<boolean> {
    await this.#database.query({
      text: 'UPDATE embedded.passages SET document_hash = $2 WHERE collection = $1 AND id = ANY ($3::uuid[])',
      values: [this.#collection, documentHash, ids],
    });
    for (const id of ids) {
      const passage = this.#passages.get(id);
      if (passage) this.#passages.set(id, { ...passage, documentHash });
    }
    return ids.every((id) => this.#passages.has(id));
  }

  async put(passages: readonly StoredPassage[]): Promise<void> {
    await this.#database.transaction(async (client) => {
      for (const passage of passages) {
        await client.query(
          `INSERT INTO embedded.passages (collection, ${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (collection, id) DO UPDATE SET title = excluded.title, document_hash = excluded.document_hash`,
          [
            this.#collection,
            passage.id,
            passage.course,
            passage.source,
            passage.title,
            passage.heading,
            passage.text,
            passage.contentHash,
            passage.documentHash,
            passage.chunk,
          ],
        );
      }
    });
    for (const passage of passages) this.#remember(passage);
  }

  async removeOthers(key: DocumentKey, documentHash: string): Promise<void> {
    await this.#database.query({
      text: `DELETE FROM embedded.passages
              WHERE collection = $1 AND course = $2 AND source = $3 AND document_hash <> $4`,
      values: [this.#collection, key.course, key.source, documentHash],
    });
    for (const passage of this.#document(key)) {
      if (passage.documentHash !== documentHash) this.#forget(passage.id);
    }
  }

  async removeSources(prefix: string): Promise<void> {
    await this.#database.query({
      text: 'DELETE FROM embedded.passages WHERE collection = $1 AND starts_with(source, $2)',
      values: [this.#collection, prefix],
    });
    for (const { id, source } of [...this.#passages.values()]) if (source.startsWith(prefix)) this.#forget(id);
  }

  async close(): Promise<void> {}

  #forget(id: string): void {
    this.#passages.delete(id);
    this.#index.remove(id);
  }

  #document({ course, source }: DocumentKey): readonly StoredPassage[] {
    return [...this.#passages.values()].filter((passage) => passage.course === course && passage.source === source);
  }

  #remember(passage: StoredPassage): void {
    this.#passages.set(passage.id, passage);
    this.#index.put({ id: passage.id, group: passage.course, text: searchedText(passage) });
  }
}

function passageOf(row: Row): StoredPassage {
  return {
    id: row.id,
    text: row.text,
    source: row.source,
    title: row.title,
    heading: row.heading,
    course: row.course,
    contentHash: row.content_hash,
    documentHash: row.document_hash,
    chunk: row.chunk,
  };
}
