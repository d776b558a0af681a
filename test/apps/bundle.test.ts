import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  BUNDLE_FOLDER,
  BundleManifest,
  filesBelow,
  MANIFEST,
  packageRoot,
  readBundle,
  sha256,
} from '../../src/apps/bundle.js';
import { makeBundle } from '../../src/apps/make-bundle.js';
import { temporaryFolder } from '../support/folder.js';
import { ScriptedServer } from '../support/http-server.js';
import { ragApiSettings } from '../support/rag-api.js';
import { run } from '../support/run.js';

const contentOf = (folder: string) =>
  Object.fromEntries(filesBelow(folder).map((file) => [file, sha256(readFileSync(join(folder, file)))]));

describe('makeBundle', () => {
  test('gives the same bytes in another folder, and nothing of this machine', async () => {
    const folder = temporaryFolder();
    const [one, two] = [join(folder, 'one'), join(folder, 'a/deeper/two')];
    await makeBundle(packageRoot(), one);
    mkdirSync(dirname(two), { recursive: true });
    await makeBundle(packageRoot(), two);
    expect(contentOf(two)).toEqual(contentOf(one));
    for (const file of filesBelow(one)) {
      const text = readFileSync(join(one, file), 'utf8');
      expect(text.includes(packageRoot()), `${file} holds the path of the package`).toBe(false);
      expect(text.includes(folder), `${file} holds the path of the output`).toBe(false);
    }
  });

  test('empties the folder first', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'left-over.mjs'), '');
    await makeBundle(packageRoot(), folder);
    expect(existsSync(join(folder, 'left-over.mjs'))).toBe(false);
  });

  describe('its output', () => {
    let folder: string;

    beforeAll(async () => {
      folder = join(packageRoot(), 'node_modules/.cache/ragdock-test-bundle');
      await makeBundle(packageRoot(), folder);
      return () => rmSync(folder, { recursive: true });
    });

    const app = (...args: string[]) =>
      run([process.execPath, join(folder, 'ragdock-apps.mjs'), ...args], {
        env: { PATH: process.env.PATH },
        timeoutSeconds: 20,
      });

    test('has a Dockerfile whose COPY lines name files that are there', () => {
      const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8');
      expect(dockerfile).toMatch(/^FROM node:\S+\n/);
      expect(dockerfile).toContain('\nUSER 1000:1000\n');
      // Without these one server that is gone keeps all others from their addresses.
      expect(dockerfile).toMatch(/^ENV UV_THREADPOOL_SIZE=16$/m);
      expect(dockerfile).toMatch(/^ENV RES_OPTIONS="timeout:1 attempts:3"$/m);
      expect(dockerfile).toMatch(/\nENTRYPOINT \["node", "\/app\/ragdock-apps\.mjs"\]\n$/);
      for (const [, sources = ''] of dockerfile.matchAll(/^COPY (.+) \S+$/gm)) {
        for (const source of sources.split(' ')) expect(existsSync(join(folder, source)), source).toBe(true);
      }
    });

    test('names the sources and the packages that it was made from', () => {
      const manifest = BundleManifest.parse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')));
      expect(Object.keys(manifest.sources)).toEqual(
        expect.arrayContaining(['constructs/images.ts', 'src/apps/main.ts', 'src/rag/pipeline.ts']),
      );
      expect(Object.keys(manifest.sources).filter((path) => path.includes('node_modules'))).toEqual([]);
      expect(manifest.packages).toMatchObject({ 'node_modules/fastify': expect.stringMatching(/^5\./) });
    });

    test('asks for a name once, however many connections want it', async () => {
      // The commands of the bundle are told apart by what they lack; the look-up is shared before any of them begins.
      const program = `
        const dns = require('node:dns');
        const asked = [];
        dns.lookup = (name, options, answer) => { asked.push(name); setTimeout(answer, 50, null, [{ address: '127.0.0.1', family: 4 }]); };
        process.argv = [process.argv[0], 'ragdock-apps.mjs', 'nope'];
        process.exit = () => undefined;
        import(process.env.BUNDLE).then(() => {
          const net = require('node:net');
          for (const port of [1, 2, 3]) net.connect({ port, host: 'qdrant' }).on('error', () => undefined);
          setTimeout(() => console.log(JSON.stringify(asked)), 10);
        });`;
      const { stdout } = await run([process.execPath, '-e', program], {
        env: { PATH: process.env.PATH, BUNDLE: pathToFileURL(join(folder, 'ragdock-apps.mjs')).href },
        timeoutSeconds: 20,
      });
      expect(stdout.trim()).toBe('["qdrant"]');
    });

    test('runs: a command that it does not know is refused with what it knows', async () => {
      const { code, stderr } = await app('nope');
      expect(code).toBe(2);
      expect(stderr).toContain('rag-api, web-bot, agent-exporter, job-postgres-roles');
    });

    test.each(['rag-api', 'job-postgres-roles', 'job-qdrant-collections', 'job-model', 'operator-ask'])(
      'runs %s up to the settings that it lacks',
      async (command) => {
        const { code, stderr } = await app(command);
        expect(code).toBe(2);
        expect(stderr).toContain('the environment variable is not set');
        expect(stderr).not.toMatch(/^\s+at /m);
      },
    );

    test('ends a job that failed with one line', async () => {
      const { code, stderr } = await app('job-ownership', 'nobody');
      expect(code).toBe(1);
      expect(stderr).toBe('job-ownership failed: expected UID:GID PATH…, got nobody\n');
    });

    test('masks nothing where it cannot read the secrets', async () => {
      const { code, stdout, stderr } = await app('operator-mask', join(folder, 'none'));
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^operator-mask failed: ENOENT/);
    });

    test('ends when it cannot start, although a part of it listens already', async () => {
      const secret = join(folder, 'key');
      writeFileSync(`${secret}.v1`, 'a-key-of-some-length');
      const taken = createServer().listen(0, '0.0.0.0');
      await once(taken, 'listening');
      const settings = join(folder, 'settings.json');
      const { port } = taken.address() as AddressInfo;
      writeFileSync(settings, JSON.stringify({ ...ragApiSettings(), listen: { port: 0, metricsPort: port } }));
      const { code, stderr } = await run([process.execPath, join(folder, 'ragdock-apps.mjs'), 'rag-api'], {
        env: {
          RAGDOCK_SETTINGS: settings,
          API_KEY_FILE: secret,
          QDRANT_URL: 'http://127.0.0.1:1',
          QDRANT_API_KEY_FILE: secret,
          LLM_URL: 'http://127.0.0.1:1',
          POSTGRES_URL: 'postgresql://rag_api@127.0.0.1:1/ml_db',
          POSTGRES_PASSWORD_FILE: secret,
        },
        timeoutSeconds: 20,
      });
      taken.close();
      expect(stderr).toContain('EADDRINUSE');
      expect(code).toBe(1);
    });

    test('probes an address: 0 for 200, 1 for anything else', async () => {
      const server = await ScriptedServer.start(
        ({ path }, response) => void response.writeHead(path === '/ok' ? 200 : 503).end(),
      );
      const { url: base } = server;
      const probe = (url: string) => run([process.execPath, join(folder, 'health.mjs'), url]);
      expect((await probe(`${base}/ok`)).code).toBe(0);
      expect(await probe(`${base}/down`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('status 503'),
      });
      await server.close();
      expect(await probe(`${base}/ok`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ECONNREFUSED'),
      });
      expect((await probe('')).code).toBe(1);
    });
  });
});

describe('readBundle', () => {
  /** A package with one source and a bundle that was made from it. */
  function aPackage(): string {
    const root = temporaryFolder();
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    put('src/apps/main.ts', 'main');
    put('node_modules/fastify/package.json', '{"version":"5.0.0"}');
    put(`${BUNDLE_FOLDER}/ragdock-apps.mjs`, 'bundle');
    put(
      `${BUNDLE_FOLDER}/${MANIFEST}`,
      JSON.stringify({
        sources: { 'src/apps/main.ts': sha256('main') },
        packages: { 'node_modules/fastify': '5.0.0' },
      }),
    );
    return root;
  }

  test('gives the context and a hash of what is in it', () => {
    const root = aPackage();
    const bundle = readBundle(root);
    expect(bundle).toEqual({ context: join(root, BUNDLE_FOLDER), hash: expect.stringMatching(/^[0-9a-f]{12}$/) });
    writeFileSync(join(root, BUNDLE_FOLDER, 'health.mjs'), '');
    expect(readBundle(root).hash).not.toBe(bundle.hash);
  });

  test('is BUNDLE_MISSING when it was never built', () => {
    expect(() => readBundle(temporaryFolder())).toThrow(expect.objectContaining({ code: 'BUNDLE_MISSING' }));
  });

  test.each([
    [
      'a changed source',
      (root: string) => writeFileSync(join(root, 'src/apps/main.ts'), 'changed'),
      'src/apps/main.ts',
    ],
    [
      'another version of a package',
      (root: string) => writeFileSync(join(root, 'node_modules/fastify/package.json'), '{"version":"5.0.1"}'),
      'node_modules/fastify',
    ],
    [
      'a new file of the page',
      (root: string) => {
        mkdirSync(join(root, 'src/apps/web-bot/static'), { recursive: true });
        writeFileSync(join(root, 'src/apps/web-bot/static/new.js'), '');
      },
      'src/apps/web-bot/static/new.js',
    ],
  ])('is BUNDLE_STALE after %s, and names it', (_name, change, path) => {
    const root = aPackage();
    change(root);
    expect(() => readBundle(root)).toThrow(
      expect.objectContaining({ code: 'BUNDLE_STALE', message: expect.stringContaining(path) }),
    );
  });

  test('does not look for sources in an installed package', () => {
    const root = aPackage();
    rmSync(join(root, 'src'), { recursive: true });
    rmSync(join(root, 'node_modules'), { recursive: true });
    expect(readBundle(root).hash).toMatch(/^[0-9a-f]{12}$/);
  });
});
