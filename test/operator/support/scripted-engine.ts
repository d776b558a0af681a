import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { ContainerCreateOptions } from 'dockerode';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/folder.js';

/** What runs in a container: it may read and write, is told to end, and gives its exit code. */
export type Program = (container: RunningContainer) => Promise<number> | number;

export interface RunningContainer {
  readonly options: ContainerCreateOptions;
  /** What was written to its stdin; ends when the other side closes it, or is gone. */
  readonly stdin: Readable;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Aborts when the container is to stop. */
  readonly stopped: AbortSignal;
}

interface Container {
  readonly id: string;
  readonly options: ContainerCreateOptions & { readonly name?: string };
  readonly networks: string[];
  readonly created: number;
  readonly stop: AbortController;
  readonly exit: Promise<number>;
  readonly exited: (code: number) => void;
  stdin?: Readable;
  output?: ServerResponse;
}

/** The part of the Docker Engine API that sessions use, over a socket, with programs of the test in the containers. */
export class ScriptedEngine {
  readonly containers = new Map<string, Container>();
  /** Containers that were there before, by name; `GET /containers/json` lists them too. */
  readonly others: Record<string, unknown>[] = [];
  /** Method and path of every request. */
  readonly requests: string[] = [];
  /** What `docker inspect` says of a container that was there before, by name. */
  readonly states = new Map<string, object>();
  /** What a container that was there before has written. */
  readonly logs = new Map<string, string>();
  /** `GET /images/json`. */
  images: readonly object[] = [];
  /** What `docker stats` says of a container that was there before, by name. */
  readonly stats = new Map<string, object>();
  networks: readonly string[] = [];
  volumes: readonly string[] = [];
  /** The engine's clock. */
  now = () => new Date();
  /** Answers a request in place of the engine; true: it did. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  #program: Program;
  #made = 0;

  private constructor(
    readonly socket: string,
    program: Program,
  ) {
    this.#program = program;
  }

  static async start(program: Program = () => 0): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine(join(temporaryFolder(), 'engine.sock'), program);
    const server: Server = createServer((request, response) => void engine.#answer(request, response));
    server.on('upgrade', (request, socket) => {
      engine.requests.push(`${request.method} ${request.url}`);
      const container = engine.#find(request.url ?? '');
      if (container) container.stdin = socket;
      socket.on('error', () => undefined);
      (socket as Writable).write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    });
    server.listen(engine.socket);
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return engine;
  }

  get address(): string {
    return `unix://${this.socket}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    this.requests.push(`${request.method} ${url}`);
    const body = await textOf(request);
    if (this.intercept(request, response)) return;
    const send = (status: number, value?: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(value === undefined ? undefined : JSON.stringify(value));
    };
    const path = url.replace(/\?.*$/, '');
    const route = `${request.method} ${path.replace(/^\/(containers|networks)\/[^/]+\//, '/$1/*/')}`;
    const container = this.#find(path);
    switch (route) {
      case 'GET /_ping':
        return send(200, 'OK');
      case 'GET /info':
        return send(200, { SystemTime: this.now().toISOString() });
      case 'GET /version':
        return send(200, { Version: '20.10.24', ApiVersion: '1.41' });
      case 'GET /networks':
        return send(
          200,
          this.networks.map((Name) => ({ Name })),
        );
      case 'GET /volumes':
        return send(200, { Volumes: this.volumes.map((Name) => ({ Name })) });
      case 'GET /images/json':
        return send(200, this.images);
      case 'GET /containers/json':
        return send(200, withLabels(url, [...this.others, ...[...this.containers.values()].map(listed)]));
      case 'POST /containers/create':
        return send(201, { Id: this.#create(url, body).id, Warnings: [] });
      case 'POST /networks/*/connect':
        this.containers.get(JSON.parse(body).Container)?.networks.push(path.split('/')[2] ?? '');
        return send(200);
    }
    if (request.method === 'DELETE') {
      const id = path.split('/').at(-1) ?? '';
      this.others.splice(0, this.others.length, ...this.others.filter((other) => other.Id !== id));
      this.containers.get(id)?.stop.abort('SIGKILL');
      return send(this.containers.delete(id) ? 204 : 404, undefined);
    }
    const name = path.split('/')[2] ?? '';
    if (route === 'GET /containers/*/json' && this.states.has(name)) return send(200, this.states.get(name));
    if (route === 'GET /containers/*/stats' && this.stats.has(name)) return send(200, this.stats.get(name));
    if (route === 'GET /containers/*/logs' && this.states.has(name)) {
      return void response.writeHead(200).end(frame(2, this.logs.get(name) ?? ''));
    }
    if (!container) return send(404, { message: `no such container: ${path}` });
    switch (route) {
      case 'POST /containers/*/attach':
        container.output = response;
        response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream' });
        response.flushHeaders();
        return;
      case 'POST /containers/*/start':
        void this.#run(container);
        return send(204);
      case 'POST /containers/*/wait':
        return send(200, { StatusCode: await container.exit });
      case 'POST /containers/*/stop':
        container.stop.abort('SIGTERM');
        await container.exit;
        return send(204);
    }
    throw new Error(`the scripted engine does not know ${route}`);
  }

  #create(url: string, body: string): Container {
    this.#made += 1;
    let exited: Container['exited'] = () => undefined;
    const exit = new Promise<number>((resolve) => {
      exited = resolve;
    });
    const container: Container = {
      id: `c${this.#made}`,
      options: { ...JSON.parse(body), name: new URLSearchParams(url.split('?')[1]).get('name') ?? '' },
      networks: [],
      created: Math.floor(this.now().getTime() / 1000),
      stop: new AbortController(),
      exit,
      exited,
    };
    this.containers.set(container.id, container);
    return container;
  }

  async #run(container: Container): Promise<void> {
    const { options, stdin, output, stop } = container;
    if (!stdin || !output) throw new Error('started before somebody was attached');
    const killed = new Promise<number>((resolve) => {
      stop.signal.addEventListener('abort', () => {
        if (stop.signal.reason === 'SIGKILL') resolve(137);
      });
    });
    const running = this.#program({
      options,
      stdin,
      stdout: (text) => void output.write(frame(1, text)),
      stderr: (text) => void output.write(frame(2, text)),
      stopped: stop.signal,
    });
    const code = await Promise.race([Promise.resolve(running), killed]);
    output.end();
    stdin.destroy();
    container.exited(code);
    // As the engine does for a container that removes itself.
    if (options.HostConfig?.AutoRemove) this.containers.delete(container.id);
  }

  #find(path: string): Container | undefined {
    const [, id = ''] = /^\/containers\/([^/?]+)/.exec(path) ?? [];
    return this.containers.get(id);
  }
}

/** A frame of a container's output as the engine sends it: type, three zeros, length, bytes. */
export function frame(stream: 1 | 2, text: string): Buffer {
  const data = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

function listed({ id, options, created }: Container): Record<string, unknown> {
  const { name, Image, Labels } = options;
  return { Id: id, Names: [`/${name}`], ImageID: Image, State: 'running', Created: created, Labels: Labels ?? {} };
}

/** What is left of a list under its filter `label`. */
function withLabels(url: string, containers: readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
  const filters = new URLSearchParams(url.split('?')[1]).get('filters') ?? '{}';
  const { label = [] } = JSON.parse(filters) as { readonly label?: readonly string[] };
  return containers.filter(({ Labels }) =>
    label.every((wanted) => {
      const [key = '', value] = wanted.split('=');
      const found = (Labels as Record<string, string>)[key];
      return value === undefined ? found !== undefined : found === value;
    }),
  );
}

/** Everything that a stream brings, as text. */
export async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}
