import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { provideRepository } from '../../../src/apps/jobs/hugging-face.js';
import { temporaryFolder } from '../../support/folder.js';
import { type Handler, json, ScriptedServer } from '../../support/http-server.js';

const COMMIT = 'a'.repeat(40);
const WEIGHTS = randomBytes(100_000);
const FILES: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"hidden_size": 8}'),
  '1_Pooling/config.json': Buffer.from('{}'),
  'model.safetensors': WEIGHTS,
  'pytorch_model.bin': Buffer.from('the same once more'),
  'onnx/model.onnx': Buffer.from('and once more'),
};
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const gitBlob = (data: Buffer) => createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');
const entry = (name: string, data: Buffer) => ({
  rfilename: name,
  blobId: gitBlob(data),
  ...(data === WEIGHTS ? { lfs: { sha256: sha256(data), size: data.length } } : {}),
});

let server: ScriptedServer;
let home: string;
let lines: string[];

/** The hub, as far as it is asked: the list of a revision's files, and the files of a commit. */
const hub: Handler = ({ path }, response) => {
  if (path === '/api/models/owner/model/revision/refs%2Fpr%2F2?blobs=true') {
    const siblings = Object.entries(FILES).map(([name, data]) => entry(name, data));
    return json(response, 200, { sha: COMMIT, siblings });
  }
  const file = FILES[path.replace(`/owner/model/resolve/${COMMIT}/`, '')];
  if (file) response.writeHead(200, { 'content-length': file.length }).end(file);
  else response.writeHead(404).end();
};

beforeEach(async () => {
  server = await ScriptedServer.start(hub);
  home = temporaryFolder();
  lines = [];
});

afterEach(() => server.close());

const provide = (changes: Partial<Parameters<typeof provideRepository>[0]> = {}, token?: string) =>
  provideRepository(
    { endpoint: server.url, repository: 'owner/model', revision: 'refs/pr/2', home, deadlineSeconds: 5, ...changes },
    token,
    (line) => lines.push(line),
  );
const cache = (...path: string[]) => join(home, 'hub/models--owner--model', ...path);
const asked = () => server.requests.map(({ path }) => path.split('/').at(-1) ?? '');

describe('provideRepository', () => {
  test('lays the files out as readers of the cache expect them', async () => {
    await provide();
    expect(readFileSync(cache('refs/refs/pr/2'), 'utf8')).toBe(COMMIT);
    expect(readFileSync(cache('snapshots', COMMIT, '1_Pooling/config.json'), 'utf8')).toBe('{}');
    expect(readlinkSync(cache('snapshots', COMMIT, 'model.safetensors'))).toBe(`../../blobs/${sha256(WEIGHTS)}`);
    expect(readFileSync(cache('snapshots', COMMIT, 'model.safetensors'))).toEqual(WEIGHTS);
    expect(lines.at(-1)).toBe('owner/model at refs/pr/2 was downloaded');
  });

  test('leaves weights in further formats where they are', async () => {
    await provide();
    expect(asked()).toContain('model.safetensors');
    expect(asked().filter((name) => /\.(bin|onnx)$/.test(name))).toEqual([]);
  });

  test('asks for nothing when all of it is there', async () => {
    await provide();
    const before = server.requests.length;
    await provide();
    expect(server.requests).toHaveLength(before);
    expect(lines.at(-1)).toBe('owner/model at refs/pr/2 is there');
  });

  test('takes a cache with its marker that was brought by hand', async () => {
    mkdirSync(cache('snapshots', COMMIT), { recursive: true });
    mkdirSync(join(home, '.ragdock'));
    writeFileSync(join(home, '.ragdock/owner--model@refs--pr--2'), `hub/models--owner--model/snapshots/${COMMIT}`);
    await provide();
    expect(server.requests).toEqual([]);
  });

  test('does not take what an interrupted download left for a model, and goes on with it', async () => {
    server.handler = (request, response) =>
      request.path.endsWith('.safetensors') ? void response.writeHead(403).end() : hub(request, response);
    await expect(provide()).rejects.toThrow('the server answered 403; check model.name and model.revision');
    expect(existsSync(join(home, '.ragdock'))).toBe(false);
    server.handler = hub;
    server.requests.length = 0;
    await provide();
    expect(asked()).not.toContain('config.json');
    expect(readFileSync(cache('snapshots', COMMIT, 'model.safetensors'))).toEqual(WEIGHTS);
  });

  test('refuses a file that is not the one that the list names', async () => {
    server.handler = (request, response) =>
      request.path.endsWith('/config.json') ? void response.writeHead(200).end('{}!') : hub(request, response);
    await expect(provide()).rejects.toThrow(/config\.json has the digest [0-9a-f]{40}, not/);
  });

  test('refuses a list that would lead out of the cache', async () => {
    server.handler = (_request, response) =>
      json(response, 200, { sha: COMMIT, siblings: [entry('../../../.ragdock/x', Buffer.from('x'))] });
    await expect(provide()).rejects.toThrow('gave no list of files');
    expect(existsSync(join(home, '.ragdock'))).toBe(false);
  });

  test.each([401, 403, 404])('gives up at once when the repository answers %i', async (status) => {
    server.handler = (_request, response) => void response.writeHead(status).end();
    await expect(provide()).rejects.toThrow(
      `owner/model at refs/pr/2 was not downloaded: the server answered ${status}`,
    );
    expect(server.requests).toHaveLength(1);
  });

  test('waits for a hub that is busy', async () => {
    let served = 0;
    server.handler = (request, response) => {
      served += 1;
      return served === 1 ? void response.writeHead(503).end() : hub(request, response);
    };
    await provide();
    expect(lines[0]).toContain('the list of files did not come: the server answered 503');
  });

  test('shows its token to the hub, to no host that the hub leads to, and to nobody in its output', async () => {
    const elsewhere = await ScriptedServer.start((_request, response) => void response.writeHead(200).end(WEIGHTS));
    server.handler = (request, response) => {
      if (!request.path.endsWith('.safetensors')) return hub(request, response);
      // Another name of this machine is another host.
      const location = elsewhere.url.replace('127.0.0.1', 'localhost');
      response.writeHead(302, { location }).end();
    };
    await provide({}, 'hf_secret');
    expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer hf_secret']));
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(lines.join('\n')).not.toContain('hf_secret');
    await elsewhere.close();
  });
});
