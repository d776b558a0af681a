import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Remembered } from '../remembered.js';

/** What a token looks like: version, last second of its life, a random part, and the signature of all three. */
const TOKEN = /^(v1\.(\d{1,12})\.[\w-]{16})\.([\w-]{43})$/;

/** Bytes of the random part: no two tokens are alike. */
const RANDOM_BYTES = 12;

export interface SessionToken {
  readonly token: string;
  /** Seconds for which it opens a chat. */
  readonly expiresIn: number;
}

/**
 * Short-lived tokens that open a chat. Only our own page can read one (other sites may ask for it, but their readers'
 * browsers do not show them the answer), so whoever has one was here. They say nothing of who that is, and are kept
 * nowhere: the signature is all there is to check.
 */
export class SessionTokens {
  readonly #keys: Remembered<readonly string[]>;

  /**
   * @param read - the keys that are valid now, newest first: the first signs, all are accepted
   * @param lifeMs - how long a token opens chats, in milliseconds
   * @param now - milliseconds since 1970
   */
  constructor(
    read: () => Promise<readonly string[]>,
    private readonly lifeMs: number,
    private readonly now: () => number = Date.now,
  ) {
    this.#keys = new Remembered(read);
  }

  async issue(): Promise<SessionToken> {
    const [key] = await this.#keys.current();
    if (key === undefined) throw new Error('there is no key to sign with');
    const expires = Math.floor((this.now() + this.lifeMs) / 1000);
    const signed = `v1.${expires}.${randomBytes(RANDOM_BYTES).toString('base64url')}`;
    return { token: `${signed}.${sign(key, signed).toString('base64url')}`, expiresIn: Math.floor(this.lifeMs / 1000) };
  }

  /** Whether `token`, which may be anything, was issued here and is still good. */
  async accepts(token: unknown): Promise<boolean> {
    const [, signed, expires, signature] = (typeof token === 'string' && TOKEN.exec(token)) || [];
    if (signed === undefined || signature === undefined) return false;
    const presented = Buffer.from(signature, 'base64url');
    let genuine = false;
    for (const key of await this.#keys.current()) genuine = timingSafeEqual(presented, sign(key, signed)) || genuine;
    return genuine && Number(expires) * 1000 > this.now();
  }
}

function sign(key: string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
