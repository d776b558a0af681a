import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { PostgresHistory } from '../../src/rag/history/postgres.js';

const EXCHANGE = { requestId: 'r', userName: 'u', course: 'demo', question: 'q', model: 'm' };
const OK = 'the right one, which takes effect at once';
const WRONG = 'the newest one, which the server does not know yet';

/** One message of PostgreSQL's protocol (version 3): a type, the length with itself, the body. */
function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const int32 = (value: number): Buffer => Buffer.from([0, 0, 0, value]);
const READY = message('Z', Buffer.from('I'));
const ANSWER = Buffer.concat([message('1'), message('2'), message('n'), message('C', 'INSERT 0 1'), READY]);
const REFUSAL = message('E', 'SFATAL', 'C28P01', 'Mpassword authentication failed', Buffer.from([0]));

/** A server that asks for a password, and refuses the wrong ones of so many connections in the same moment. */
class PasswordServer {
  readonly passwords: string[] = [];
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  #refused: Socket[] = [];

  constructor(together: number) {
    this.server = createServer((socket) => {
      this.#sockets.add(socket);
      let started = false;
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        if (!started) {
          started = true;
          socket.write(message('R', int32(3)));
        } else if (data.toString('latin1', 0, 1) === 'p') {
          const password = data.toString('utf8', 5, data.length - 1);
          this.passwords.push(password);
          if (password === OK) socket.write(Buffer.concat([message('R', int32(0)), READY]));
          else this.#refuse(socket, together);
        } else if (data.includes('rag.exchanges')) {
          socket.write(ANSWER);
        }
      });
    });
  }

  #refuse(socket: Socket, together: number): void {
    this.#refused.push(socket);
    if (this.#refused.length < together) return;
    for (const waiting of this.#refused) waiting.end(REFUSAL);
    this.#refused = [];
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function connect(together: number) {
  const server = new PasswordServer(together);
  server.server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const history = new PostgresHistory({
    url: `postgresql://rag_api@127.0.0.1:${port}/ml_db`,
    logins: async () => [WRONG, OK].map((password) => ({ user: 'rag_api', password })),
  });
  open.push(history, server);
  return { history, server };
}

const id = (index: number) => `00000000-0000-4000-8000-00000000000${index}`;

describe('PostgresHistory during the rotation of its password', () => {
  test('turns to the other login', async () => {
    const { history, server } = await connect(1);
    await history.begin({ id: id(1), ...EXCHANGE });
    expect(server.passwords).toEqual([WRONG, OK]);
  });

  test.each([2, 3, 4])('turns to it once when %i statements are refused side by side', async (count) => {
    const { history, server } = await connect(count);
    await Promise.all(Array.from({ length: count }, (_, index) => history.begin({ id: id(index), ...EXCHANGE })));
    expect(server.passwords.filter((password) => password === WRONG)).toHaveLength(count);
  });
});
