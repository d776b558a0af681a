import { PGlite } from '@electric-sql/pglite';
import { codeOf, RagFailure } from '../rag/failure.js';
import { type MigrationClient, migrate } from '../rag/history/migrate.js';
import { isUnavailableState } from '../rag/history/sqlstate.js';
import type { Statement } from '../rag/history/statements.js';

/** One writer needs no more, and every page of it is memory of this process. */
const CONFIGURATION = ['shared_buffers=8MB'];

/** SQLSTATE: five digits or capitals. Any other error was not PostgreSQL's but that of what runs it. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * PostgreSQL inside this process (PGlite). Calls run one after another. What was acknowledged survives the end of the
 * process, whatever ends it; the machine's own end may cost the last seconds, since PGlite does not sync its files.
 */
export class Database {
  readonly #folder: string;
  #db: PGlite;
  #broken = false;

  private constructor(folder: string, db: PGlite) {
    this.#folder = folder;
    this.#db = db;
  }

  /** Makes a database in an empty or missing folder. */
  static async create(folder: string): Promise<Database> {
    // A database as initdb leaves it: running initdb here takes ten seconds and 800 MB.
    const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs');
    return new Database(folder, await start(folder, await dataDir()));
  }

  /** Opens the database that is in a folder; one whose process was killed recovers. */
  static async open(folder: string): Promise<Database> {
    return new Database(folder, await start(folder));
  }

  /** Brings the schema of the history up to date. Throws `SchemaTooNew`. */
  async migrate(): Promise<void> {
    await this.transaction(migrate);
  }

  /** Runs one statement. Throws `RagFailure` when the database cannot be used now, a full disk included. */
  async query<Row>({ text, values }: Statement): Promise<{ readonly rows: readonly Row[]; readonly affected: number }> {
    return this.#attempt(async (db) => {
      const { rows, affectedRows } = await db.query<Row>(text, [...values]);
      return { rows, affected: affectedRows ?? 0 };
    });
  }

  /** All of `work` or nothing. Throws as `query` does. */
  async transaction<T>(work: (client: MigrationClient) => Promise<T>): Promise<T> {
    return this.#attempt((db) =>
      db.transaction((transaction) =>
        work({
          query: async (text, values) => {
            if (values) return transaction.query<Record<string, unknown>>(text, values);
            const results = await transaction.exec(text);
            return { rows: results.at(-1)?.rows ?? [] };
          },
        }),
      ),
    );
  }

  /** After this the next start needs no recovery. */
  async close(): Promise<void> {
    if (!this.#db.closed) await this.#db.close();
  }

  async #attempt<T>(work: (db: PGlite) => Promise<T>): Promise<T> {
    if (this.#broken) await this.#restart();
    try {
      return await work(this.#db);
    } catch (cause) {
      const code = codeOf(cause);
      if (!SQLSTATE.test(code)) {
        // The program may be in any state now. Its files are as after a kill, which the next start recovers from.
        this.#broken = (cause as Error).name === 'RuntimeError' || this.#db.closed;
        if (!this.#broken) throw cause;
      } else if (!isUnavailableState(code)) throw cause;
      throw unusable(cause);
    }
  }

  async #restart(): Promise<void> {
    try {
      await this.#db.close().catch(() => undefined);
      this.#db = await start(this.#folder);
      this.#broken = false;
    } catch (cause) {
      throw unusable(cause);
    }
  }
}

function start(folder: string, template?: Blob): Promise<PGlite> {
  return PGlite.create(folder, {
    postgresqlconf: CONFIGURATION,
    ...(template ? { loadDataDir: template } : {}),
  });
}

function unusable(cause: unknown): RagFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new RagFailure('history-unavailable', `the database cannot be used: ${message}`, { cause });
}
