import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import Docker from 'dockerode';
import { extract } from 'tar-stream';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/folder.js';

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly owner: string;
}

/**
 * The part of the Docker Engine API that brings files into a volume, with a folder of this machine as the volume:
 * archives are unpacked there, and programs of containers run there as they are.
 */
export class VolumeEngine {
  readonly volume = temporaryFolder();
  /** What archives brought, in their order. */
  readonly entries: Entry[] = [];
  readonly requests: string[] = [];
  /** Stops reading an archive after so many entries, as an engine that goes away. */
  breaksAfter = Number.POSITIVE_INFINITY;
  /** Ends programs before they do anything. */
  refusesPrograms = false;
  readonly #programs = new Map<string, { command: readonly string[]; process?: ChildProcess }>();

  static async start(): Promise<{ engine: VolumeEngine; docker: Docker; address: string }> {
    const engine = new VolumeEngine();
    const server = createServer((request, response) => {
      engine.#answer(request, response).catch(() => response.destroy());
    });
    const socket = join(temporaryFolder(), 'engine.sock');
    server.listen(socket);
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { engine, docker: new Docker({ socketPath: socket }), address: `unix://${socket}` };
  }

  /** Containers that nobody has removed. */
  get containers(): readonly string[] {
    return [...this.#programs.keys()];
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?');
    const [, , id = ''] = path.split('/');
    const route = `${request.method} ${path.replace(/^\/(containers|images)\/.+\//, '/$1/*/')}`;
    this.requests.push(`${request.method} ${path}`);
    const send = (status: number, value: object = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (route === 'PUT /containers/*/archive') {
      await this.#unpack(request);
      return send(200);
    }
    const body = await text(request);
    if (request.method === 'DELETE') return send(this.#programs.delete(id) ? 204 : 404);
    switch (route) {
      case 'GET /_ping':
      case 'GET /images/*/json':
        return send(200);
      case 'POST /volumes/create':
        return send(201, JSON.parse(body));
      case 'POST /containers/create': {
        const made = `c${this.requests.length}`;
        this.#programs.set(made, { command: JSON.parse(body).Entrypoint ?? [] });
        return send(201, { Id: made, Warnings: [] });
      }
      case 'POST /containers/*/wait': {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        const program = this.#programs.get(id);
        while (program && !program.process) await new Promise((resolve) => setTimeout(resolve, 2));
        const [code] = program?.process ? await once(program.process, 'close') : [1];
        return void response.end(JSON.stringify({ StatusCode: code }));
      }
      case 'POST /containers/*/start': {
        const program = this.#programs.get(id);
        const [command = 'false', ...args] = (program?.command ?? []).map((part) =>
          part.replace('/ragdock', this.volume),
        );
        if (program) program.process = this.refusesPrograms ? spawn('false') : spawn(command, args);
        return send(204);
      }
    }
    return send(404, { message: `the engine of this test does not know ${route}` });
  }

  async #unpack(request: IncomingMessage): Promise<void> {
    const archive = extract();
    request.pipe(archive);
    for await (const entry of archive) {
      if (this.entries.length >= this.breaksAfter) throw new Error('gone');
      const { name, type, mode = 0, uid, gid } = entry.header;
      this.entries.push({ name: name.replace(/\/$/, ''), mode, owner: `${uid}:${gid}` });
      const target = join(this.volume, name);
      if (type === 'directory') {
        mkdirSync(target, { recursive: true });
        entry.resume();
      } else {
        // The engine makes no folder that the archive does not name.
        if (dirname(name) !== '.' && !this.entries.some((made) => made.name === dirname(name))) {
          throw new Error(`no folder for ${name}`);
        }
        writeFileSync(target, await buffer(entry as unknown as Readable));
      }
    }
  }
}
