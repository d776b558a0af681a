import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { RagFailure } from '../rag/failure.js';
import { type MigrationClient, migrate } from '../rag/history/migrate.js';
import { isUnavailableState } from '../rag/history/sqlstate.js';
import type { Statement } from '../rag/history/statements.js';

/** One writer needs no more, and every page of it is memory of this process. */
const CONFIGURATION = ['shared_buffers=8MB'];

/** SQLSTATE: a class and three digits or capitals. System errors such as EBUSY are as long, and have no such class. */
const SQLSTATE = /^(\d[0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/**
 * PostgreSQL inside this process (PGlite). Calls run one after another. What was acknowledged survives the end of the
 * process, whatever ends it; the machine's own end may cost the last seconds, since PGlite does not sync its files.
 */
export class Database {
  readonly #folder: string;
  #db: PGlite;
  #broken = false;
  #closed = false;
  #restarting: Promise<void> | undefined;

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

  /** After this the next start needs no recovery, and whoever comes late is told that the database cannot be used. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#restarting?.catch(() => undefined);
    if (!this.#db.closed) await this.#db.close();
  }

  async #attempt<T>(work: (db: PGlite) => Promise<T>): Promise<T> {
    if (this.#broken && !this.#closed) await this.#restart();
    const db = this.#db;
    // Not opened again: the folder may be another process's by now.
    if (this.#closed) throw unusable(new Error('it is closed'));
    try {
      return await work(db);
    } catch (cause) {
      // Closed under the statement, which is not at fault; a program that was started meanwhile is well.
      const gone = this.#closed || this.#restarting !== undefined || db !== this.#db;
      const fault = gone ? 'unavailable' : faultOf(cause);
      // The files are as after a kill, which the next start recovers from.
      if (fault === 'broken') this.#broken = true;
      if (fault === 'own') throw cause;
      throw unusable(cause);
    }
  }

  /** Whoever comes meanwhile waits for the same start: two programs at work on one folder destroy what is in it. */
  #restart(): Promise<void> {
    this.#restarting ??= this.#startAnew().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async #startAnew(): Promise<void> {
    try {
      await this.#db.close().catch(() => undefined);
      this.#db = await start(this.#folder);
      this.#broken = false;
    } catch (cause) {
      throw unusable(cause);
    }
  }
}

/**
 * Whose fault an error is: the statement's or its caller's own; that of a database which cannot be used now; or that of
 * the program that runs it, which is broken, and may be in any state from then on.
 */
export function faultOf(cause: unknown): 'own' | 'unavailable' | 'broken' {
  const { name, code } = (cause ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  if (typeof code === 'string' && SQLSTATE.test(code)) return isUnavailableState(code) ? 'unavailable' : 'own';
  // A trap or an abort, and the end of the program.
  return name === 'RuntimeError' || name === 'ExitStatus' ? 'broken' : 'own';
}

async function start(folder: string, template?: Blob): Promise<PGlite> {
  // Where this file is missing, PGlite would make an empty database, over what is left of the one that was there.
  if (!template && !existsSync(join(folder, 'PG_VERSION')))
    throw new Error('there is no PG_VERSION, and so no database');
  return PGlite.create(folder, {
    postgresqlconf: CONFIGURATION,
    ...(template ? { loadDataDir: template } : {}),
  });
}

function unusable(cause: unknown): RagFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new RagFailure('history-unavailable', `the database cannot be used: ${message}`, { cause });
}
