import type {
  Exchange,
  ExchangeOutcome,
  FeedbackToFollow,
  FeedbackValue,
  History,
  HistoryPage,
  HistoryQuery,
  NewExchange,
} from '../ports.js';
import { type Forgotten, forgetUser } from './forget.js';
import { type ExchangeRow, exchangeOf } from './rows.js';
import {
  abandonStatement,
  beginStatement,
  findStatement,
  finishStatement,
  followedStatement,
  listStatement,
  rateStatement,
  type Statement,
  toFollowStatement,
} from './statements.js';

/** What a statement gave, and how many rows it affected. */
export interface StatementResult<Row> {
  readonly rows: readonly Row[];
  readonly affected: number;
}

/** The history as statements of PostgreSQL; how they get there is for whoever extends it. */
export abstract class SqlHistory implements History {
  async begin(exchange: NewExchange): Promise<void> {
    await this.run(beginStatement(exchange));
  }

  async finish(id: string, outcome: ExchangeOutcome): Promise<void> {
    const { affected } = await this.run(finishStatement(id, outcome));
    if (affected !== 1) throw new Error(`exchange ${id} was never begun`);
  }

  async find(id: string): Promise<Exchange | undefined> {
    const { rows } = await this.run<ExchangeRow>(findStatement(id));
    return rows[0] && exchangeOf(rows[0]);
  }

  async list(query: HistoryQuery): Promise<HistoryPage> {
    // One more than is wanted says whether there is a next page.
    const { rows } = await this.run<ExchangeRow>(listStatement({ ...query, limit: query.limit + 1 }));
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    return { exchanges: page.map(exchangeOf), next: last && { micros: last.micros, id: last.id } };
  }

  async rate(id: string, value: FeedbackValue, comment: string | undefined): Promise<boolean> {
    return (await this.run(rateStatement(id, value, comment))).affected === 1;
  }

  async toFollow(limit: number): Promise<readonly FeedbackToFollow[]> {
    const { rows } = await this.run<{ exchange_id: string; revision: number }>(toFollowStatement(limit));
    return rows.map(({ exchange_id, revision }) => ({ exchangeId: exchange_id, revision }));
  }

  async followed(feedback: FeedbackToFollow): Promise<void> {
    await this.run(followedStatement(feedback));
  }

  async forget(userName: string): Promise<number> {
    return forgetUser(async (statement) => (await this.run<Forgotten>(statement)).rows, userName);
  }

  async abandon(seconds: number): Promise<number> {
    return (await this.run(abandonStatement(seconds))).affected;
  }

  abstract check(signal: AbortSignal): Promise<void>;

  abstract close(): Promise<void>;

  /** Runs one statement. Throws `RagFailure` when the database cannot be used now. */
  protected abstract run<Row extends object>(statement: Statement): Promise<StatementResult<Row>>;
}
