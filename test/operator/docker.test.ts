import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectEngine, reasonOf, statusOf, withEngine } from '../../src/operator/docker.js';
import { temporaryFolder } from '../support/folder.js';
import { closedPort, json } from '../support/http-server.js';
import { ScriptedEngine } from './support/scripted-engine.js';

afterEach(() => vi.unstubAllEnvs());

const unreachable = (address: string) =>
  connectEngine(address).then(
    () => undefined,
    (error: Error) => error,
  );

describe('an engine that does not answer', () => {
  test.each([
    ['a socket that is not there', () => 'unix:///nowhere/docker.sock', 'ENOENT'],
    ['a port where nobody listens', async () => `tcp://127.0.0.1:${await closedPort()}`, 'ECONNREFUSED'],
  ])('%s: its address and the cause are told', async (_, addressOf, cause) => {
    const address = await addressOf();
    const error = await unreachable(address);

    expect(error).toMatchObject({ code: 'ENGINE_UNREACHABLE', exitCode: 3 });
    expect(error?.message).toContain(address);
    expect(error?.message).toContain(cause);
  });

  test('one that says no is not there either', async () => {
    const engine = await ScriptedEngine.start();
    engine.intercept = (_, response) => {
      json(response, 503, { message: 'shutting down' });
      return true;
    };

    expect((await unreachable(engine.address))?.message).toContain('shutting down');
  });
});

test('the address is the environment’s: DOCKER_HOST says nothing', async () => {
  vi.stubEnv('DOCKER_HOST', 'tcp://203.0.113.1:2376');
  vi.stubEnv('DOCKER_TLS_VERIFY', '1');
  const engine = await ScriptedEngine.start();
  await connectEngine(engine.address);

  expect(engine.requests).toEqual(['GET /_ping']);
});

describe('what goes wrong later', () => {
  test('a refusal is told in the engine’s words', async () => {
    const engine = await ScriptedEngine.start();
    const running = withEngine(engine.address, {}, (docker) => docker.getContainer('gone').inspect());

    await expect(running).rejects.toMatchObject({
      code: 'SESSION_FAILED',
      message: expect.stringContaining('no such container'),
    });
  });

  test('a connection that breaks is an engine that cannot be reached', async () => {
    const engine = await ScriptedEngine.start();
    const running = withEngine(engine.address, {}, async (docker) => {
      engine.intercept = (request) => {
        request.socket.destroy();
        return true;
      };
      return docker.info();
    });

    await expect(running).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
  });

  test('a fault of ours stays one', async () => {
    const engine = await ScriptedEngine.start();
    const running = withEngine(engine.address, {}, async () => {
      throw new TypeError('ours');
    });

    await expect(running).rejects.toThrow(TypeError);
  });
});

describe('ssh', () => {
  /** Puts a program in ssh's place: it notes its arguments and connects to the engine. */
  function sshDoes(script: string): string {
    const folder = temporaryFolder();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'ssh'), `#!${process.execPath}\n${script}\n`);
    chmodSync(join(bin, 'ssh'), 0o755);
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
    return folder;
  }
  const dialing = (socket: string) => `
    require('node:fs').appendFileSync(__dirname + '/arguments', process.argv.slice(2).join(' ') + '\\n');
    const engine = require('node:net').connect(${JSON.stringify(socket)});
    process.stdin.pipe(engine).pipe(process.stdout);
  `;

  test('carries requests, with the user’s own ssh and nothing that it could take for an option', async () => {
    const engine = await ScriptedEngine.start();
    engine.networks = ['dev-a'];
    const folder = sshDoes(dialing(engine.socket));
    const networks = await withEngine('ssh://deploy@203.0.113.7:2222', {}, (docker) => docker.listNetworks());

    expect(networks).toEqual([{ Name: 'dev-a' }]);
    expect(readFileSync(join(folder, 'bin/arguments'), 'utf8').split('\n')[0]).toBe(
      '-o ConnectTimeout=30 -T -l deploy -p 2222 -- 203.0.113.7 docker system dial-stdio',
    );
  });

  test('logs in once for requests that follow each other, and not more often than sshd takes', async () => {
    const engine = await ScriptedEngine.start();
    const folder = sshDoes(dialing(engine.socket));
    await withEngine('ssh://203.0.113.7', {}, async (docker) => {
      for (let i = 0; i < 5; i += 1) await docker.listNetworks();
    });
    const logins = () => readFileSync(join(folder, 'bin/arguments'), 'utf8').trim().split('\n').length;
    expect(logins()).toBe(1);

    await withEngine('ssh://203.0.113.7', {}, (docker) =>
      Promise.all(Array.from({ length: 40 }, () => docker.listNetworks())),
    );
    expect(logins()).toBeLessThanOrEqual(1 + 6);
  });

  test('that fails is told in ssh’s words', async () => {
    sshDoes(`process.stderr.write('Host key verification failed.\\n'); process.exit(255);`);

    expect((await unreachable('ssh://deploy@203.0.113.7'))?.message).toContain(
      'ssh ended with 255: Host key verification failed.',
    );
  });

  test.each([
    ['Host key verification failed.', "ssh-keygen -R '[203.0.113.7]:2222'"],
    ['deploy@203.0.113.7: Permission denied (publickey).', 'ssh-copy-id'],
    ['permission denied while trying to connect to the Docker daemon socket at unix:///x', 'group docker'],
    ['Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?', 'Start the engine there'],
    ['bash: line 1: docker: command not found', 'Install the docker command there'],
    ['kex_exchange_identification: Connection closed by remote host', 'MaxStartups'],
    ['ssh: connect to host 203.0.113.7 port 2222: Connection refused', 'ssh -p 2222 deploy@203.0.113.7 docker version'],
  ])('that ends with %j says what helps', async (said, remedy) => {
    sshDoes(`process.stderr.write(${JSON.stringify(`Some banner\n${said}\n`)}); process.exit(255);`);

    const text = (await unreachable('ssh://deploy@203.0.113.7:2222'))?.message;
    expect(text).toContain(
      `the Docker engine at ssh://deploy@203.0.113.7:2222 cannot be used: ssh ended with 255: ${said}\n`,
    );
    expect(text).toContain(remedy);
  });

  test('that ends in the middle of the work is a problem of the same kind', async () => {
    const engine = await ScriptedEngine.start();
    sshDoes(`
      const { existsSync, writeFileSync } = require('node:fs');
      if (existsSync(__dirname + '/once')) {
        process.stderr.write('Connection closed by 203.0.113.7 port 22\\n');
        process.exit(255);
      }
      writeFileSync(__dirname + '/once', '');
      ${dialing(engine.socket)}
    `);
    // Two at once: the second one needs a connection of its own.
    const work = withEngine('ssh://203.0.113.7', {}, (docker) =>
      Promise.all([docker.listNetworks(), docker.listNetworks()]),
    );

    await expect(work).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
  });

  test('that is not there is told', async () => {
    vi.stubEnv('PATH', temporaryFolder());

    expect((await unreachable('ssh://deploy@203.0.113.7'))?.message).toContain('ssh cannot be started');
  });
});

test('errors of the engine are read', () => {
  const refused = Object.assign(new Error('(HTTP code 409) conflict - in use '), {
    statusCode: 409,
    json: { message: 'in use' },
  });

  expect(statusOf(refused)).toBe(409);
  expect(reasonOf(refused)).toBe('in use');
  expect(statusOf(new Error('other'))).toBeUndefined();
  expect(reasonOf(new AggregateError([new Error('the first of them')]))).toBe('the first of them');
});
