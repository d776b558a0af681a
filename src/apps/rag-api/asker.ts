import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { networkOf } from '../client-address.js';
import { BearerKeys } from './auth.js';
import { ApiProblem } from './problems.js';

/** Header in which the web bot says whom it asks for. */
export const CLIENT_ADDRESS_HEADER = 'x-ragdock-client';

/** Who asks, as far as limits are concerned. */
export interface Asker {
  /** Which of the keys: both versions of one are the same. */
  readonly key: 'api' | 'web-bot';
  /** The client's address, or its network; see `networkOf`. */
  readonly address: string;
}

/** Where the valid versions of the keys come from. */
export interface KeySources {
  readonly api: () => Promise<readonly string[]>;
  /** The web bot's own. @default - nobody is believed to ask for somebody else */
  readonly webBot?: (() => Promise<readonly string[]>) | undefined;
}

/** Knows clients by their keys. */
export class Askers {
  readonly #api: BearerKeys;
  readonly #webBot: BearerKeys | undefined;

  constructor({ api, webBot }: KeySources) {
    this.#api = new BearerKeys(api);
    this.#webBot = webBot && new BearerKeys(webBot);
  }

  /**
   * Who sent a request. The header about the client's address is believed with the web bot's key alone: anybody else
   * could take another address for each question.
   *
   * @throws ApiProblem UNAUTHORIZED
   */
  async identify({ headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>): Promise<Asker> {
    const { authorization } = headers;
    // Both, whatever the first says: the time must not tell which of the keys was nearly right.
    const [isApi, isWebBot] = await Promise.all([
      this.#api.accepts(authorization),
      this.#webBot?.accepts(authorization) ?? false,
    ]);
    if (!isApi && !isWebBot) throw new ApiProblem('UNAUTHORIZED');
    const told = headers[CLIENT_ADDRESS_HEADER];
    const believed = isWebBot && typeof told === 'string' && isIP(told) !== 0 ? told : socket.remoteAddress;
    return { key: isWebBot ? 'web-bot' : 'api', address: networkOf(believed ?? '') };
  }
}
