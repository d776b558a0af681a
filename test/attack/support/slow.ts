import { connect, type Socket } from 'node:net';

/** Another address of this machine, so that the attacker is not the client who is to be served. */
export const ATTACKER = '127.0.0.2';

/** A connection of the attacker that sends something and then nothing more. */
export class SlowConnection {
  received = '';
  isClosed = false;
  readonly #socket: Socket;

  constructor(port: number, start: string | Uint8Array) {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: ATTACKER });
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (data) => {
      this.received += data.toString('latin1');
    });
    this.#socket.once('close', () => {
      this.isClosed = true;
    });
    if (start.length > 0) this.#socket.write(start);
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** Beginnings of requests that never end, by what is missing. */
export const beginnings = (path: string, key: string): Readonly<Record<string, string>> => ({
  everything: '',
  'the end of the request line': 'GE',
  'the end of the headers': `POST ${path} HTTP/1.1\r\nHost: a\r\nX-Slow: a`,
  'the end of the body': `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"m`,
  'the end of a chunk': `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"m`,
});
