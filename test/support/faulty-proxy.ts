import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What is wrong with the server behind the proxy, as its clients see it. */
export type Fault =
  /** Nothing. */
  | 'none'
  /** Connections are refused, and those that were open broke. */
  | 'stopped'
  /** Connections are taken, what comes is never answered. */
  | 'hung'
  /** Every answer comes `delayMs` late. */
  | 'slow'
  /** What answers is something else. */
  | 'rubbish';

/** A TCP server that stands before another one and has its faults. */
export class FaultyProxy {
  readonly port: number;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #rubbish: string;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  /** What ends, or bends, the answers that are on their way. */
  readonly #running = new Set<(fault: Fault) => void>();
  #server: Server | undefined;
  #fault: Fault = 'none';
  /** How late a slow answer is, in milliseconds. */
  delayMs = 300;

  private constructor(port: number, target: { readonly host: string; readonly port: number }, rubbish: string) {
    this.port = port;
    this.#target = target;
    this.#rubbish = rubbish;
  }

  /** @param rubbish what a fault of that name answers with */
  static async before(url: string, rubbish: string): Promise<FaultyProxy> {
    const { hostname: host, port } = new URL(url);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultyProxy((server.address() as AddressInfo).port, { host, port: Number(port) }, rubbish);
    await new Promise((resolve) => server.close(resolve));
    await proxy.#listen();
    return proxy;
  }

  /** Connections of clients that are open. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Connections that are open have the fault as well: they break. */
  async have(fault: Fault): Promise<void> {
    this.#fault = fault;
    for (const socket of this.#sockets) socket.destroy();
    if (fault === 'stopped') await this.#stop();
    else if (!this.#server) await this.#listen();
  }

  /** Has the fault from here on, in the middle of the answers that are on their way as well: they go silent, or late. */
  async haveMidway(fault: 'stopped' | 'hung' | 'slow' | 'rubbish'): Promise<void> {
    if (fault === 'stopped') return this.have(fault);
    this.#fault = fault;
    for (const bend of this.#running) bend(fault);
  }

  async close(): Promise<void> {
    await this.have('stopped');
  }

  async #listen(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket)).listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#keep(socket);
    this.#clients.add(socket);
    socket.on('close', () => this.#clients.delete(socket));
    if (this.#fault === 'hung') {
      socket.resume();
      return;
    }
    if (this.#fault === 'rubbish') {
      socket.once('data', () => socket.end(this.#rubbish));
      return;
    }
    const upstream = connect(this.#target);
    this.#keep(upstream);
    socket.pipe(upstream);
    let late = 0;
    const beLate = () => {
      late = this.delayMs;
      upstream.on('data', (data) => setTimeout(() => socket.write(data), late));
      upstream.on('end', () => setTimeout(() => socket.end(), late));
    };
    if (this.#fault === 'slow') beLate();
    else upstream.pipe(socket);
    const bend = (fault: Fault) => {
      upstream.unpipe(socket);
      if (fault === 'slow') beLate();
      // Not hung upstream: what comes from there is lost, or late.
      upstream.resume();
      if (fault === 'rubbish') socket.end(this.#rubbish);
    };
    this.#running.add(bend);
    socket.on('close', () => {
      this.#running.delete(bend);
      upstream.destroy();
    });
    upstream.on('close', () => setTimeout(() => socket.destroy(), late));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
