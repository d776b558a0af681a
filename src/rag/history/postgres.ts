import pg from 'pg';
import { abortReason, codeOf, RagFailure } from '../failure.js';
import { postgresAddress } from './connection.js';
import type { Login } from './login.js';
import { LoginPools } from './login-pools.js';
import { SqlHistory, type StatementResult } from './sql-history.js';
import { isUnavailableState } from './sqlstate.js';
import { CHECK_STATEMENT, type Statement } from './statements.js';

/** Longest wait for a connection, from the server or from the pool, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2000;

/** Longest statement, in milliseconds: for the server, which then cancels it, and for a server that is silent. */
const STATEMENT_TIMEOUT_MS = 2000;
const QUERY_TIMEOUT_MS = 3000;

/** Every statement is one short row; a stream holds no connection while it runs. */
const CONNECTIONS = 10;

const FOLLOW_MS = 3000;

export interface PostgresHistoryOptions {
  /** `postgresql://user@host:port/database`, without a password; `?sslmode=verify-full` for TLS. */
  readonly url: string;
  /** Who may log in, the newest first: at most two, of which the server knows one. Read anew every few seconds. */
  readonly logins: () => Promise<readonly Login[]>;
  /** Time between two looks for a newer login, in milliseconds. @default 3000 */
  readonly followMs?: number;
  /** Told of connections that broke while nobody used them. */
  readonly onIdleError?: (error: Error) => void;
}

/** Keeps exchanges in PostgreSQL, in the schema that the job `postgres-roles` migrates. */
export class PostgresHistory extends SqlHistory {
  readonly #pools: LoginPools;

  constructor({ url, logins, onIdleError, followMs = FOLLOW_MS }: PostgresHistoryOptions) {
    super();
    const open = (login: Login): pg.Pool => {
      const pool = new pg.Pool({
        ...postgresAddress(url),
        ...login,
        max: CONNECTIONS,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        statement_timeout: STATEMENT_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
        idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
        // Opening one costs an authentication; a pool that shrinks after every pause would pay it for most questions.
        idleTimeoutMillis: 300_000,
        keepAlive: true,
        application_name: 'rag-api',
      });
      // Without a listener, a server that restarts would end this process.
      pool.on('error', (error) => onIdleError?.(error));
      return pool;
    };
    this.#pools = new LoginPools({ open, logins, followMs });
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#query(CHECK_STATEMENT);
    if (signal.aborted) throw abortReason(signal);
  }

  async close(): Promise<void> {
    await this.#pools.close();
  }

  protected async run<Row extends object>(statement: Statement): Promise<StatementResult<Row>> {
    const { rows, rowCount } = await this.#query<Row>(statement);
    return { rows, affected: rowCount ?? 0 };
  }

  /**
   * Runs a statement that may be repeated: once more if the connection broke, because a pool finds out that its server
   * was restarted only by using what is left of its connections, and once more with the other login.
   */
  async #query<Row extends pg.QueryResultRow>({ text, values }: Statement): Promise<pg.QueryResult<Row>> {
    const remedies = new Map([
      ['broken', isBroken],
      ['login', isRefused],
    ]);
    for (;;) {
      const pool = await this.#pools.current();
      try {
        return await pool.query<Row>(text, [...values]);
      } catch (cause) {
        const [remedy] = [...remedies].find(([, helps]) => helps(cause)) ?? [];
        if (remedy === 'login') await this.#pools.turnFrom(pool);
        if (remedy !== undefined) remedies.delete(remedy);
        else if (!isUnavailable(cause)) throw cause;
        else throw new RagFailure('history-unavailable', `PostgreSQL cannot be used: ${describe(cause)}`, { cause });
      }
    }
  }
}

/** The password or the role is one that the server does not know yet, or not any more. */
function isRefused(error: unknown): boolean {
  return codeOf(error).startsWith('28');
}

/** The connection was there and is gone. */
function isBroken(error: unknown): boolean {
  const code = codeOf(error);
  // 57P01 to 57P03: the server was told to stop, crashed, or is starting.
  return /^(ECONNRESET|EPIPE|57P0[1-3])$/.test(code) || /Connection terminated/.test(String(error));
}

/** Nothing is wrong with the statement; the same one can succeed when the server is well again. */
function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (isBroken(error) || /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code))
    return true;
  return isUnavailableState(code) || /timeout/i.test(String(error));
}

function describe(error: unknown): string {
  return error instanceof Error ? `${codeOf(error)}: ${error.message}` : String(error);
}
