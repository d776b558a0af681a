import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'socket.io';
import { networkOf, type TrustedProxies } from '../client-address.js';
import { Tally } from '../tally.js';
import type { WebBotLimits } from './limits.js';
import type { SessionTokens } from './session-tokens.js';

/** What a client whose token is missing, wrong or expired is told; it fetches another one and comes back. */
export const SESSION_REFUSED = { code: 'session_invalid' };

/** Time that a connection which has not joined gets to close when it was told to, in milliseconds. */
const FAREWELL_MS = 1000;

/** Who gets into the chat: so many of one address, each with a session token, and once on each connection. */
export class Gate {
  readonly #chats = new Tally();
  /** Connections that have shown a token, good or not. */
  readonly #tried = new WeakSet<object>();
  readonly #admitted = new WeakSet<object>();

  constructor(
    private readonly tokens: SessionTokens,
    private readonly proxies: TrustedProxies,
    private readonly limits: Pick<WebBotLimits, 'socketsPerAddress'>,
  ) {}

  /** Whether the client of a handshake may open one more chat. */
  hasRoom(request: IncomingMessage): boolean {
    return this.#chats.of(this.#clientOf(request)) < this.limits.socketsPerAddress;
  }

  /** Stand before every connection of `io`. */
  guard(io: Server): void {
    io.engine.on('connection', (connection: Connection) => {
      const client = this.#clientOf(connection.request);
      // Handshakes that began together have all found room.
      if (this.#chats.of(client) >= this.limits.socketsPerAddress) return connection.close();
      this.#chats.add(client);
      connection.once('close', () => {
        this.#chats.remove(client);
        if (!this.#admitted.has(connection)) setTimeout(() => cutOff(connection), FAREWELL_MS).unref();
      });
    });
    io.use((socket, next) => this.#admit(socket).then(() => next(), next));
  }

  /** A connection has one try: each would cost a socket, and every socket has questions of its own. */
  async #admit({ conn, handshake }: Socket): Promise<void> {
    const isFirst = !this.#tried.has(conn);
    this.#tried.add(conn);
    const auth: unknown = handshake.auth;
    const token = typeof auth === 'object' && auth !== null && 'token' in auth ? auth.token : undefined;
    if (isFirst && (await this.tokens.accepts(token).catch(() => false))) {
      this.#admitted.add(conn);
      return;
    }
    // After the refusal was sent; a client that comes back does so on a new connection.
    setImmediate(() => conn.close());
    throw Object.assign(new Error('the session token is missing, wrong or expired'), { data: SESSION_REFUSED });
  }

  #clientOf(request: IncomingMessage): string {
    return networkOf(this.proxies.clientOf(request));
  }
}

/** It was asked to close; the TCP connection of a client that does not answer that would stay for much longer. */
function cutOff({ transport, request }: Connection): void {
  if (transport.name === 'websocket') request.socket.destroy();
}

/** What is used of an Engine.IO connection. */
interface Connection {
  readonly request: IncomingMessage;
  readonly transport: { readonly name: string };
  close(): void;
  once(event: 'close', listener: () => void): void;
}
