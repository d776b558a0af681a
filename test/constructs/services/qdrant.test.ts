import { chmodSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Qdrant, type QdrantProps } from '../../../constructs/services/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService } from '../../support/workloads.js';

const containerOf = (props: QdrantProps = {}) =>
  synthesiseWorkloads((stack) => void new Qdrant(stack, 'qdrant', props)).container('qdrant');

describe('the start script', () => {
  /** Run the container's entrypoint where `./qdrant` prints the key that it was given. */
  function start(key: string | undefined) {
    const folder = temporaryFolder();
    const keyFile = join(folder, 'key');
    if (key !== undefined) writeFileSync(keyFile, key);
    writeFileSync(join(folder, 'qdrant'), '#!/bin/bash\necho "started with $QDRANT__SERVICE__API_KEY as $$"\n');
    chmodSync(join(folder, 'qdrant'), 0o755);
    const entrypoint: string[] = containerOf().entrypoint;
    expect(entrypoint.at(-1)).toBe('/run/secrets/qdrant-api-key.v1');
    return run([...entrypoint.slice(0, -1), keyFile], { cwd: folder });
  }

  test.each([
    ['a key', 'secret-key'],
    ['a key with a line end', 'secret-key\n'],
  ])('hands %s to the server, and makes place for it', async (_what, key) => {
    const { pid, code, stdout } = await start(key);

    expect(code).toBe(0);
    expect(stdout).toBe(`started with secret-key as ${pid}\n`);
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['holds a line end alone', '\n'],
  ])('starts nothing when the key file %s', async (_what, key) => {
    const { code, stdout, stderr } = await start(key);

    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toContain('is missing or empty: refusing to run without authentication');
  });

  test('never shows the key', async () => {
    const { stderr } = await start('secret-key');

    expect(stderr).toBe('');
    expect(JSON.stringify(containerOf())).not.toMatch(/API_KEY=[^$"\\]*[A-Za-z0-9]{3,}"/);
  });
});

describe('the start script with recovery mode', () => {
  /** Run the entrypoint with a server that does what `server` says, a piece of bash. */
  async function start(server: string, signal?: NodeJS.Signals) {
    const folder = temporaryFolder();
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, 'secret-key');
    writeFileSync(
      join(folder, 'qdrant'),
      `#!/bin/bash\necho "mode: \${QDRANT__STORAGE__RECOVERY_MODE:+recovery}"\n${server}\n`,
    );
    chmodSync(join(folder, 'qdrant'), 0o755);
    const entrypoint: string[] = containerOf({ recoveryMode: true }).entrypoint;
    const command = [...entrypoint.slice(0, -1), keyFile].map((argument) =>
      argument.replace('/tmp/qdrant-initialised', join(folder, 'initialised')),
    );
    return run(command, { cwd: folder, signalOn: signal && { says: 'ready', signal } });
  }

  test('hands on how the server ended', async () => {
    expect(await start('exit 0')).toMatchObject({ code: 0, stdout: 'mode: \n' });
    expect(await start('exit 7')).toMatchObject({ code: 7, stdout: 'mode: \n' });
  });

  test('starts a server with its collections closed that was killed while it loaded them', async () => {
    const outcome = await start('[ -n "${QDRANT__STORAGE__RECOVERY_MODE:-}" ] && exit 0; kill -9 $$');

    expect(outcome).toMatchObject({ code: 0, stdout: 'mode: \nmode: recovery\n' });
    expect(outcome.stderr).toContain('it starts again in recovery mode');
  });

  test('does not do so when it had loaded them: the engine starts the container again', async () => {
    const outcome = await start('touch "$QDRANT_INIT_FILE_PATH"; kill -9 $$');

    expect(outcome).toMatchObject({ code: 137, stdout: 'mode: \n' });
  });

  test('waits after SIGTERM until the server has ended well', async () => {
    const server = `trap 'echo asked; sleep 0.3; echo finished; exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done`;

    expect(await start(server, 'SIGTERM')).toMatchObject({
      code: 0,
      stdout: 'mode: \nready\nasked\nfinished\n',
    });
  });
});

describe('the health check', () => {
  /** Run the container's probe against another port than Qdrant's. */
  function probe(port: number) {
    const [kind, ...command]: string[] = containerOf().healthcheck.test;
    expect(kind).toBe('CMD');
    expect(command.join(' ')).toContain('/dev/tcp/127.0.0.1/6333');
    return run(command.map((argument) => argument.replace('127.0.0.1/6333', `127.0.0.1/${port}`)));
  }

  /** A server that says `answer` to whatever it is asked. Resolves to its port, and what it was asked. */
  async function server(answer: string): Promise<{ port: number; asked: () => string }> {
    const sockets = new Set<Socket>();
    let asked = '';
    const listening = createServer((socket) => {
      sockets.add(socket);
      socket.setEncoding('utf8').on('data', (text: string) => {
        asked += text;
        if (asked.endsWith('\r\n\r\n')) socket.end(answer);
      });
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      listening.close();
    });
    return { port: (listening.address() as AddressInfo).port, asked: () => asked };
  }

  test('asks for readiness, and is content with 200', async () => {
    const { port, asked } = await server('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');

    expect((await probe(port)).code).toBe(0);
    expect(asked()).toBe('GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n');
  });

  test.each([
    ['503', 'HTTP/1.1 503 Service Unavailable\r\n\r\nsome shards are not ready'],
    ['503 whose text speaks of 200', 'HTTP/1.1 503 Service Unavailable\r\n\r\nonly 12 of 200 shards are ready'],
    ['401', 'HTTP/1.1 401 Unauthorized\r\n\r\n'],
    ['nothing', ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('is not content with %s', async (_what, answer) => {
    const { port } = await server(answer);

    expect((await probe(port)).code).toBe(1);
  });

  test('is not content when nobody listens', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));

    expect((await probe(port)).code).toBe(1);
  });
});

test('serves REST behind a key, and metrics on a port of their own without one', () => {
  const { container } = synthesiseWorkloads((stack) => {
    const qdrant = new Qdrant(stack, 'qdrant');
    const client = aService(stack, 'client');
    client.connectTo(qdrant.http, { url: 'QDRANT_URL', credential: 'QDRANT_API_KEY_FILE', rereads: true });
    client.connectTo(qdrant.metrics, { url: 'METRICS_URL' });
  });

  expect(container('client').env).toEqual([
    'METRICS_URL=http://test-qdrant:9090',
    'QDRANT_API_KEY_FILE=/run/secrets/qdrant-api-key',
    'QDRANT_URL=http://test-qdrant:6333',
  ]);
  expect(container('qdrant').env).toContain('QDRANT__SERVICE__METRICS_PORT=9090');
});

test('tells nobody about itself, and fetches nothing', () => {
  expect(containerOf().env).toEqual(
    expect.arrayContaining(['QDRANT__TELEMETRY_DISABLED=true', 'QDRANT__SERVICE__ENABLE_SNAPSHOT_URL_RECOVERY=false']),
  );
});

test('keeps points and snapshots in volumes, the points under the given name if there is one', () => {
  const volumes = (props: QdrantProps) =>
    (containerOf(props).mounts as { type: string; source: string; target: string }[])
      .filter(({ type, target }) => type === 'volume' && target.startsWith('/qdrant'))
      .map(({ source, target }) => [source, target]);

  expect(volumes({})).toEqual([
    ['test-qdrant-data', '/qdrant/storage'],
    ['test-qdrant-snapshots', '/qdrant/snapshots'],
  ]);
  expect(volumes({ volumeName: 'qdrant_storage_new' })).toEqual([
    ['qdrant_storage_new', '/qdrant/storage'],
    ['test-qdrant-snapshots', '/qdrant/snapshots'],
  ]);
});
