import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { provideModel } from '../../../src/apps/jobs/model.js';
import { temporaryFolder } from '../../support/folder.js';
import { closedPort, type Handler, ScriptedServer } from '../../support/http-server.js';
import { until } from '../../support/until.js';

const MODEL = randomBytes(300_000);
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

let server: ScriptedServer;
let file: string;
let lines: string[];

/** Serves the model as a static file server does, ranges included. */
const serve: Handler = ({ headers }, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) {
    response.writeHead(200, { 'content-length': MODEL.length }).end(MODEL);
  } else if (start >= MODEL.length) {
    response.writeHead(416, { 'content-range': `bytes */${MODEL.length}` }).end();
  } else {
    const rest = MODEL.subarray(start);
    const range = `bytes ${start}-${MODEL.length - 1}/${MODEL.length}`;
    response.writeHead(206, { 'content-length': rest.length, 'content-range': range }).end(rest);
  }
};

beforeEach(async () => {
  server = await ScriptedServer.start(serve);
  file = join(temporaryFolder(), 'model.gguf');
  lines = [];
});

afterEach(() => server.close());

const provide = (changes: Partial<Parameters<typeof provideModel>[0]> = {}) =>
  provideModel(
    { url: `${server.url}/model.gguf`, file, sha256: sha256(MODEL), deadlineSeconds: 5, ...changes },
    (line) => lines.push(line),
  );

describe('provideModel', () => {
  test('downloads the file, readable for everybody, and leaves no part behind', async () => {
    await provide();
    expect(readFileSync(file)).toEqual(MODEL);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(existsSync(`${file}.part`)).toBe(false);
    expect(lines.at(-1)).toContain('was downloaded');
  });

  test('asks for nothing when the file is there', async () => {
    writeFileSync(file, MODEL, { mode: 0o600 });
    await provide();
    expect(server.requests).toEqual([]);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test('reads a file that was proved only once, and again when its time or size changed', async () => {
    const time = new Date('2026-01-01T00:00:00Z');
    writeFileSync(file, MODEL);
    utimesSync(file, time, time);
    await provide();
    // Other content behind the same size and time: were the file read, this would be found.
    writeFileSync(file, Buffer.alloc(MODEL.length));
    utimesSync(file, time, time);
    await provide();
    expect(server.requests).toHaveLength(0);
    utimesSync(file, time, new Date('2026-01-01T00:00:01Z'));
    await provide();
    expect(server.requests).toHaveLength(1);
    expect(readFileSync(file)).toEqual(MODEL);
  });

  test('goes on where a connection broke off', async () => {
    let served = 0;
    server.handler = async (request, response) => {
      served += 1;
      if (served > 1) return serve(request, response);
      response.writeHead(200, { 'content-length': MODEL.length });
      response.write(MODEL.subarray(0, 100_000));
      await until('a part is kept', () => (statSync(`${file}.part`, { throwIfNoEntry: false })?.size ?? 0) > 0);
      response.destroy();
    };
    await provide();
    expect(readFileSync(file)).toEqual(MODEL);
    expect(server.requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test('begins anew when the server knows no ranges', async () => {
    writeFileSync(`${file}.part`, MODEL.subarray(0, 1000));
    server.handler = (_request, response) => void response.writeHead(200).end(MODEL);
    await provide();
    expect(readFileSync(file)).toEqual(MODEL);
  });

  test('begins anew when what was there before belongs to another file', async () => {
    writeFileSync(`${file}.part`, 'rubbish');
    await provide();
    expect(readFileSync(file)).toEqual(MODEL);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual(['bytes=7-', undefined]);
  });

  test('finishes a download that was complete but not proved', async () => {
    writeFileSync(`${file}.part`, MODEL);
    await provide();
    expect(readFileSync(file)).toEqual(MODEL);
  });

  test('waits for a server that is busy or starting', async () => {
    let served = 0;
    server.handler = (request, response) => {
      served += 1;
      if (served <= 2) return void response.writeHead(served === 1 ? 503 : 429).end();
      return serve(request, response);
    };
    await provide();
    expect(served).toBe(3);
    expect(lines.filter((line) => line.includes('goes on'))).toHaveLength(2);
  });

  test('replaces a file that is not the wanted one, and only by one that is', async () => {
    writeFileSync(file, 'another model');
    server.handler = (_request, response) => void response.writeHead(404).end();
    await expect(provide()).rejects.toThrow('404');
    expect(readFileSync(file, 'utf8')).toBe('another model');
    server.handler = serve;
    await provide();
    expect(readFileSync(file)).toEqual(MODEL);
  });

  test('refuses another file at the address, and says which it is', async () => {
    server.handler = (_request, response) => void response.writeHead(200).end('another model');
    await expect(provide()).rejects.toThrow(
      `what was downloaded has the SHA-256 ${sha256(Buffer.from('another model'))}`,
    );
    expect(existsSync(file)).toBe(false);
    expect(server.requests).toHaveLength(1);
  });

  test.each([401, 403, 404])('gives up at once on %i', async (status) => {
    server.handler = (_request, response) => void response.writeHead(status).end();
    await expect(provide()).rejects.toThrow(`the server answered ${status}; check the address, or bring the file in`);
    expect(server.requests).toHaveLength(1);
  });

  test('gives up at its deadline, and names the way without a network', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/model.gguf`;
    await expect(provide({ url, deadlineSeconds: 1 })).rejects.toThrow(/ECONNREFUSED.*ragdock model import/);
  });
});
