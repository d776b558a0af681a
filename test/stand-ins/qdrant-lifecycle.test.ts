import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { call } from './qdrant/harness/http.js';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';
import { python } from './qdrant/harness/venv.js';

const COLLECTION = { vectors: { size: 2, distance: 'Dot' } };

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function folder(): Promise<string> {
  const made = await storageFolder();
  cleanups.push(made.remove);
  return made.path;
}

async function start(env: Record<string, string> = {}, storage?: string): Promise<QdrantProcess> {
  const server = await QdrantProcess.start(storage ?? (await folder()), env);
  cleanups.push(() => server.stop('SIGKILL'));
  return server;
}

/** A connection, and everything it has received so far. */
async function connection(
  port: number,
): Promise<{ socket: Socket; received(): string; until(text: string): Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  cleanups.push(async () => socket.destroy());
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  await once(socket, 'connect');
  return {
    socket,
    received: () => received,
    until: async (text) => {
      while (!received.includes(text)) {
        await once(socket, 'data');
      }
    },
  };
}

describe('a stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('by %s ends an idle server with 0', async (signal) => {
    const server = await start();
    expect(await server.stop(signal)).toMatchObject({ code: 0, signal: null });
  });

  test('answers the request under way, takes no other, and ends with 0', async () => {
    const storage = await folder();
    const server = await start({}, storage);
    await call(server.port, 'PUT', '/collections/c', COLLECTION);
    const body = JSON.stringify({ points: [{ id: 1, vector: [1, 2] }] });
    const { socket, received, until } = await connection(server.port);
    socket.write(
      `PUT /collections/c/points?wait=true HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`,
    );
    // From here on the server has the request, but not yet its body.
    await until('100 Continue');
    server.child.kill('SIGTERM');
    await refusesConnections(server.port);
    socket.write(body);
    await until('"completed"');
    expect(received()).toContain('connection: close');
    expect(await server.exited).toMatchObject({ code: 0 });

    const restarted = await start({}, storage);
    expect(await call(restarted.port, 'GET', '/collections/c/points/1')).toMatchObject({ status: 200 });
  });

  test('does not wait longer for an idle connection than that one may live', async () => {
    const server = await start();
    const { socket, until } = await connection(server.port);
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('healthz check passed');
    const asked = Date.now();
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(Date.now() - asked).toBeLessThan(8_000);
  });
});

/** A connection that is reset was still in the queue of the listener as it closed. */
async function refusesConnections(port: number): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline) {
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
      socket.once('connect', () => {
        resolve('connected');
        socket.destroy();
      });
    });
    if (outcome === 'ECONNREFUSED') {
      return;
    }
  }
  throw new Error('the server still takes connections');
}

describe('a connection', () => {
  test('that is idle is closed after 5 s, without having been announced', async () => {
    const server = await start();
    const { socket, received, until } = await connection(server.port);
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('healthz check passed');
    const idleSince = Date.now();
    await once(socket, 'end');
    expectAboutFiveSeconds(idleSince);
    expect(received().toLowerCase()).not.toContain('keep-alive');
  });

  test('with half a request head is answered 408 after 5 s', async () => {
    const server = await start();
    const { socket, received } = await connection(server.port);
    socket.write('GET /healthz HT');
    const since = Date.now();
    await once(socket, 'end');
    expectAboutFiveSeconds(since);
    expect(received()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n/);
  });

  test('carries several requests, and bodies in chunks', async () => {
    const server = await start();
    const { socket, until, received } = await connection(server.port);
    const body = JSON.stringify(COLLECTION);
    const chunks = `5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n`;
    socket.write(`PUT /collections/c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`);
    await until('"result":true');
    socket.write('GET /collections/c/exists HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('"exists":true');
    expect(received().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

/** Wide upwards: the machine may be busy. */
function expectAboutFiveSeconds(since: number): void {
  const seconds = (Date.now() - since) / 1000;
  expect(seconds).toBeGreaterThan(4.5);
  expect(seconds).toBeLessThan(8);
}

describe('the configuration', () => {
  test.each([
    ['QDRANT__SERVICE__HTTP_PORT', 'abc', 'an integer for key `service.http_port`'],
    ['QDRANT__SERVICE__GRPC_PORT', '', 'an integer for key `service.grpc_port`'],
    ['QDRANT__TELEMETRY_DISABLED', 'perhaps', 'a boolean for key `telemetry_disabled`'],
  ])('%s=%s ends with 1', async (name, value, expected) => {
    const server = await QdrantProcess.spawn(await folder(), { [name]: value });
    const exit = await server.exited;
    expect(exit.code).toBe(1);
    expect(exit.output).toContain(`Error: invalid type: string "${value}", expected ${expected} in the environment`);
  });

  test('a misspelt name is ignored in silence', async () => {
    const server = await start({ QDRANT__SERVICE__API_KEYS: 'secret', QDRANT_SERVICE_API_KEY: 'secret' });
    expect(await call(server.port, 'GET', '/collections')).toMatchObject({ status: 200 });
  });

  test('keys: the two for writing, the one for reading, and what needs none', async () => {
    const server = await start({
      QDRANT__SERVICE__API_KEY: 'now',
      QDRANT__SERVICE__ALT_API_KEY: 'before',
      QDRANT__SERVICE__READ_ONLY_API_KEY: 'reader',
      QDRANT__SERVICE__METRICS_PORT: 'any free one',
    });
    const status = async (method: string, path: string, key?: string) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const body = method === 'PUT' ? COLLECTION : undefined;
      return (await call(server.port, method, path, body, headers)).status;
    };
    expect(await status('PUT', '/collections/a', 'now')).toBe(200);
    expect(await status('PUT', '/collections/b', 'before')).toBe(200);
    expect(await status('PUT', '/collections/c', 'reader')).toBe(403);
    expect(await status('PUT', '/collections/d', 'wrong')).toBe(401);
    expect(await status('GET', '/collections/a', 'reader')).toBe(200);
    expect(await status('GET', '/metrics', 'reader')).toBe(200);
    expect(await status('GET', '/metrics')).toBe(401);
    expect(await status('GET', '/readyz')).toBe(200);
    expect((await call(server.metricsPort, 'GET', '/metrics')).status).toBe(200);
    expect((await call(server.metricsPort, 'GET', '/collections')).status).toBe(404);
  });

  test('in recovery mode the server is ready, and nothing but a deletion works', async () => {
    const storage = await folder();
    const before = await start({}, storage);
    await call(before.port, 'PUT', '/collections/c', COLLECTION);
    await before.stop();
    const server = await start({ QDRANT__STORAGE__RECOVERY_MODE: 'too little memory' }, storage);
    expect(await call(server.port, 'GET', '/readyz')).toMatchObject({ status: 200 });
    expect(await call(server.port, 'POST', '/collections/c/points/count', {})).toMatchObject({
      status: 500,
      body: {
        status: {
          error:
            'Service internal error: 1 of 1 read operations failed:\n' +
            '  Service internal error: Failed to count,  too little memory',
        },
      },
    });
    expect(await call(server.port, 'DELETE', '/collections/c')).toMatchObject({ status: 200, body: { result: true } });
  });
});

describe('the entrypoint of the image', () => {
  const source = fileURLToPath(new URL('./qdrant/', import.meta.url));

  /** A folder as /qdrant in the image, with another executable. */
  async function image(executable: string): Promise<string> {
    const home = await folder();
    await copyFile(join(source, 'entrypoint.sh'), join(home, 'entrypoint.sh'));
    await writeFile(join(home, 'qdrant'), executable, { mode: 0o755 });
    return home;
  }

  test('ends with 143 at once on SIGTERM, and leaves the server to end by itself', async () => {
    const home = await image(await readFile(join(source, 'qdrant'), 'utf8'));
    const env = {
      PATH: `${dirname(await python())}:${process.env.PATH}`,
      PYTHONPATH: source,
      PYTHONDONTWRITEBYTECODE: '1',
      QDRANT__SERVICE__HTTP_PORT: '0',
      QDRANT__SERVICE__HOST: '127.0.0.1',
    };
    // The executable sets PYTHONPATH to lib/ beside it; the sources stand in for that.
    await writeFile(join(home, 'qdrant'), '#!/bin/sh\nexec python3 -m stand_in\n', { mode: 0o755 });
    const entrypoint = spawn('./entrypoint.sh', { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    entrypoint.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    while (!output.includes('listening')) {
      await once(entrypoint.stdout, 'data');
    }
    const closed = once(entrypoint.stdout, 'close');
    entrypoint.kill('SIGTERM');
    expect(await once(entrypoint, 'exit')).toEqual([143, null]);
    // The server holds the other end of the pipe until it has ended.
    await closed;
    expect(output).toContain('SIGTERM received; starting graceful shutdown');
  });

  test.each([
    ['true', 0, 'recovery: Qdrant was killed during initialization'],
    ['false', 137, 'recovery: '],
  ])('after a kill during start-up, with recovery allowed %s, ends with %i', async (allowed, status, printed) => {
    const home = await image(`#!/bin/sh
echo "recovery: $QDRANT__STORAGE__RECOVERY_MODE"
[ -n "$QDRANT__STORAGE__RECOVERY_MODE" ] || kill -KILL $$
`);
    const entrypoint = spawn('./entrypoint.sh', {
      cwd: home,
      env: { PATH: process.env.PATH, QDRANT_ALLOW_RECOVERY_MODE: allowed },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    entrypoint.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    expect(await once(entrypoint, 'close')).toEqual([status, null]);
    expect(
      output
        .trim()
        .split('\n')
        .at(allowed === 'true' ? 1 : 0),
    ).toContain(printed.trim());
  });
});
