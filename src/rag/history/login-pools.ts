import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Login } from './login.js';

/** How often a pool that is left is asked whether anybody still waits for a connection of it, in milliseconds. */
const LEAVING_MS = 20;

export interface LoginPoolsOptions {
  /** Makes a pool for one login; opens no connection. */
  readonly open: (login: Login) => pg.Pool;
  /** Who may log in, the newest first. */
  readonly logins: () => Promise<readonly Login[]>;
  /** Time between two looks for a newer login, in milliseconds. */
  readonly followMs: number;
}

interface LoginPool {
  readonly login: Login;
  readonly pool: pg.Pool;
}

/**
 * The pool of the newest login that the server knows. A newer one is looked for all the time: once the server lets it
 * in, statements go to its pool, and the connections of the older login end, so that this login can be taken away.
 */
export class LoginPools {
  readonly #options: LoginPoolsOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #leaving = new Set<Promise<void>>();
  #current: Promise<LoginPool> | undefined;
  #looking = false;

  constructor(options: LoginPoolsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#follow(), options.followMs);
    this.#timer.unref();
  }

  /** The pool to use. Ask for it for every statement. */
  async current(): Promise<pg.Pool> {
    return (await this.#now()).pool;
  }

  /** The server refused the login of this pool: use the other one. Whoever comes second finds that done. */
  async turnFrom(pool: pg.Pool): Promise<void> {
    const tried = await this.#now();
    if (tried.pool !== pool) return;
    const logins = await this.#options.logins();
    const next = logins[(logins.findIndex((login) => same(login, tried.login)) + 1) % logins.length];
    if (next === undefined || same(next, tried.login)) return;
    if ((await this.#now()).pool === pool) this.#use(next, tried);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const last = await this.#current;
    await Promise.all([last?.pool.end(), ...this.#leaving]);
  }

  #now(): Promise<LoginPool> {
    this.#current ??= this.#options.logins().then(([login]) => {
      if (login === undefined) throw new Error('there is no login');
      return { login, pool: this.#options.open(login) };
    });
    // Files that could not be read may be readable for the next statement.
    this.#current.catch(() => (this.#current = undefined));
    return this.#current;
  }

  /** Turn to the newest login if there is one that the server knows. Nothing that fails here matters yet. */
  async #follow(): Promise<void> {
    if (this.#current === undefined || this.#looking) return;
    this.#looking = true;
    try {
      const [login] = await this.#options.logins();
      const used = await this.#now();
      if (login === undefined || same(login, used.login)) return;
      const pool = this.#options.open(login);
      try {
        (await pool.connect()).release();
      } catch {
        await pool.end();
        return;
      }
      if ((await this.#now()) === used) this.#use(login, used, pool);
      else await pool.end();
    } catch {
      // The files cannot be read at the moment; the login in use goes on.
    } finally {
      this.#looking = false;
    }
  }

  #use(login: Login, before: LoginPool, pool = this.#options.open(login)): void {
    this.#current = Promise.resolve({ login, pool });
    const left = leave(before.pool).finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}

/** A pool that is ended forgets who waits for a connection, so it is ended when nobody does. */
async function leave(pool: pg.Pool): Promise<void> {
  while (pool.waitingCount > 0) await delay(LEAVING_MS);
  await pool.end();
}

const same = (a: Login, b: Login): boolean => a.user === b.user && a.password === b.password;
