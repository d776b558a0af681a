import {
  abandonStatement,
  beginStatement,
  type ExchangeRow,
  exchangeOf,
  findStatement,
  finishStatement,
} from '../rag/history/statements.js';
import type { Exchange, ExchangeOutcome, History, NewExchange } from '../rag/ports.js';
import type { Database } from './database.js';

/** Exchanges in the database of this process. Closing is for whoever opened the database. */
export class EmbeddedHistory implements History {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async begin(exchange: NewExchange): Promise<void> {
    await this.#database.query(beginStatement(exchange));
  }

  async finish(id: string, outcome: ExchangeOutcome): Promise<void> {
    const { affected } = await this.#database.query(finishStatement(id, outcome));
    if (affected !== 1) throw new Error(`exchange ${id} was never begun`);
  }

  async find(id: string): Promise<Exchange | undefined> {
    const { rows } = await this.#database.query<ExchangeRow>(findStatement(id));
    return rows[0] && exchangeOf(rows[0]);
  }

  async abandon(seconds: number): Promise<number> {
    const { affected } = await this.#database.query(abandonStatement(seconds));
    return affected;
  }

  /** How many exchanges are kept. */
  async count(): Promise<number> {
    const { rows } = await this.#database.query<{ count: number }>({
      text: 'SELECT count(*)::integer AS count FROM rag.exchanges',
      values: [],
    });
    return rows[0]?.count ?? 0;
  }

  /** Removes every exchange of a user; gives their number. */
  async forget(userName: string): Promise<number> {
    const { affected } = await this.#database.query({
      text: 'DELETE FROM rag.exchanges WHERE user_name = $1',
      values: [userName],
    });
    return affected;
  }

  async check(): Promise<void> {
    await this.#database.query({ text: 'SELECT 1 FROM rag.exchanges LIMIT 0', values: [] });
  }

  async close(): Promise<void> {}
}
