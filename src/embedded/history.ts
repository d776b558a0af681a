import { SqlHistory, type StatementResult } from '../rag/history/sql-history.js';
import { CHECK_STATEMENT, type Statement } from '../rag/history/statements.js';
import type { Database } from './database.js';

/** Exchanges in the database of this process. Closing is for whoever opened the database. */
export class EmbeddedHistory extends SqlHistory {
  readonly #database: Database;

  constructor(database: Database) {
    super();
    this.#database = database;
  }

  /** How many exchanges are kept. */
  async count(): Promise<number> {
    const { rows } = await this.#database.query<{ count: number }>({
      text: 'SELECT count(*)::integer AS count FROM rag.exchanges',
      values: [],
    });
    return rows[0]?.count ?? 0;
  }

  async check(): Promise<void> {
    await this.#database.query(CHECK_STATEMENT);
  }

  async close(): Promise<void> {}

  protected run<Row extends object>(statement: Statement): Promise<StatementResult<Row>> {
    return this.#database.query<Row>(statement);
  }
}
