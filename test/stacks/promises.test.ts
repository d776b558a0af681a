import { expect, test } from 'vitest';
import { promisesOf } from '../../stacks/promises.js';
import { devWith, synthesiseEnvironment } from '../support/environments.js';

const environment = devWith((yaml) => {
  Object.assign(yaml, { extraServices: { extra: { image: 'e:1', volumes: [{ name: 'own_data', path: '/data' }] } } });
});
const promises = promisesOf(environment.settings, 'dev');
const synthesised = synthesiseEnvironment(environment);

test('every network, secret and data volume of the stack is promised, and no other', () => {
  const containers = Object.values(synthesised.containers);
  const secrets = containers
    .flatMap((container) => (container.upload ?? []) as { file: string }[])
    .flatMap(({ file }) => /^\/ragdock\/secrets\/(.+)\.v\d+$/.exec(file)?.[1] ?? []);
  const resources = Object.values(synthesised.volumes).map(({ name }) => name);
  const mounted = containers
    .flatMap((container) => (container.mounts ?? []) as { type: string; source: string }[])
    .filter(({ type, source }) => type === 'volume' && !resources.includes(source))
    .map(({ source }) => source);

  expect(promises.networks).toEqual(Object.keys(synthesised.networks).sort());
  expect(promises.secrets).toEqual([...new Set(secrets)].sort());
  expect(Object.values(promises.volumes).sort()).toEqual([...new Set(mounted)].sort());
});

test('ids are sorted, so that a lock file changes only where the stack does', () => {
  for (const ids of [promises.networks, promises.secrets, Object.keys(promises.volumes)]) {
    expect(ids).toEqual([...ids].sort());
  }
});

test.each([
  ['postgres:15.20-bookworm', 15],
  ['registry.example:5000/mirror/postgres:17', 17],
])('the major version of %s is %d', (image, major) => {
  const { settings } = devWith();
  const services = { ...settings.services, postgres: { ...settings.services.postgres, image } };

  expect(promisesOf({ ...settings, services }, 'dev').postgresMajor).toBe(major);
});

test('collections are promised in their language, without an embedding', () => {
  expect(promises.collections).toEqual({
    BD_chat_question: { language: 'russian', embedding: 'none', dimension: 0 },
    BD_curs_data: { language: 'russian', embedding: 'none', dimension: 0 },
    BD_organization_question: { language: 'russian', embedding: 'none', dimension: 0 },
  });
});
