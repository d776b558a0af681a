import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { findEngineAddress } from '../../src/init/engine-address.js';
import { put } from '../config/project.js';
import { temporaryFolder } from '../support/folder.js';

const USUAL = { address: 'unix:///var/run/docker.sock' };

/** A home whose Docker knows contexts. */
function home(config: unknown, contexts: Readonly<Record<string, unknown>> = {}): { HOME: string } {
  const folder = temporaryFolder();
  put(folder, '.docker/config.json', typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, endpoint] of Object.entries(contexts)) {
    const id = createHash('sha256').update(name).digest('hex');
    const meta = { Name: name, Endpoints: { docker: endpoint } };
    put(folder, `.docker/contexts/meta/${id}/meta.json`, JSON.stringify(meta));
  }
  return { HOME: folder };
}

const REMOTE = { remote: { Host: 'ssh://me@remote' }, other: { Host: 'tcp://other:2376' } };

test('without a word about it the engine is at the usual socket', () => {
  expect(findEngineAddress({})).toEqual(USUAL);
  expect(findEngineAddress({ HOME: temporaryFolder() })).toEqual(USUAL);
  expect(findEngineAddress(home({ currentContext: 'default' }))).toEqual(USUAL);
});

test('DOCKER_HOST goes before the context, and DOCKER_CONTEXT before the chosen one', () => {
  const env = home({ currentContext: 'remote' }, REMOTE);
  expect(findEngineAddress(env)).toEqual({ address: 'ssh://me@remote', origin: 'the Docker context remote' });
  expect(findEngineAddress({ ...env, DOCKER_CONTEXT: 'other' })).toEqual({
    address: 'tcp://other:2376',
    origin: 'the Docker context other',
  });
  expect(findEngineAddress({ ...env, DOCKER_CONTEXT: 'other', DOCKER_HOST: 'unix:///run/mine.sock' })).toEqual({
    address: 'unix:///run/mine.sock',
    origin: 'DOCKER_HOST',
  });
});

test('DOCKER_CONFIG names the folder of the settings', () => {
  const { HOME } = home({ currentContext: 'remote' }, REMOTE);
  expect(findEngineAddress({ HOME: '/nowhere', DOCKER_CONFIG: `${HOME}/.docker` }).address).toBe('ssh://me@remote');
});

test.each([
  ['a DOCKER_HOST of another kind', () => ({ DOCKER_HOST: 'npipe:////./pipe/docker_engine' }), /"npipe:/],
  ['a context that is not there', () => home({ currentContext: 'gone' }), /context gone names no engine/],
  ['a context without an address', () => home({ currentContext: 'x' }, { x: {} }), /context x names no engine/],
])('%s: the usual socket, and a word about it', (_name, env, doubt) => {
  expect(findEngineAddress(env())).toEqual({ ...USUAL, doubt: expect.stringMatching(doubt) });
});

test.each([['{'], ['[]'], ['{"currentContext": 7}'], ['null']])('settings that are %s say nothing', (config) => {
  expect(findEngineAddress(home(config))).toEqual(USUAL);
});
