import pg from 'pg';
import { codeOf } from '../../rag/failure.js';
import { postgresAddress } from '../../rag/history/connection.js';
import type { Login } from '../../rag/history/login.js';
import type { Ask } from '../../rag/history/numbers.js';

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2000;

/** Longest statement, in milliseconds: for the server, which then cancels it, and for a server that is silent. */
const STATEMENT_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 6000;

/** Class of what the server says to who may not log in: a password or a role that it does not know yet, or not any more. */
const REFUSED = /^28/;

export interface NumbersDatabaseOptions {
  /** `postgresql://user@host:port/database`, without a password. */
  readonly url: string;
  /** Who may log in, to be tried in this order, the newest first; read anew for each connection that is opened. */
  readonly logins: () => Promise<readonly Login[]>;
}

/** Reads from PostgreSQL what its role may read, over one connection for each job, in transactions that cannot write. */
export class NumbersDatabase {
  readonly #options: NumbersDatabaseOptions;

  constructor(options: NumbersDatabaseOptions) {
    this.#options = options;
  }

  /**
   * Runs a job on a connection of its own, which is closed afterwards: at this pace a login costs nothing, and a
   * connection that is not kept cannot break meanwhile. During a rotation the older login is tried, too.
   *
   * @throws what the server or the connection said
   */
  async read<T>(job: (ask: Ask) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      return await job(async (text) => (await client.query(text)).rows);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async #connect(): Promise<pg.Client> {
    const address = postgresAddress(this.#options.url);
    let refused: unknown;
    for (const login of await this.#options.logins()) {
      const client = new pg.Client({
        ...address,
        ...login,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        statement_timeout: STATEMENT_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
        options: '-c default_transaction_read_only=on',
        application_name: 'agent-exporter',
      });
      // The statement that runs fails by itself; the same news outside of one would end this process.
      client.on('error', () => undefined);
      try {
        await client.connect();
        return client;
      } catch (error) {
        await client.end().catch(() => undefined);
        if (!REFUSED.test(codeOf(error))) throw error;
        refused = error;
      }
    }
    throw refused ?? new Error('there is no login');
  }
}
