import { expect, test } from 'vitest';
import { loadEnvironments } from '../../config/load.js';
import { engineVolume } from '../../config/rules/engine-volumes.js';
import { reservedIds, servicesOf } from '../../config/services.js';
import { devWith, ROOT, synthesiseEnvironment } from '../support/environments.js';

// The rules of the configuration know without a synth which names a stack will claim. Here they are held against one.

const environment = devWith(
  (yaml) => {
    yaml.services.postgres = { container: 'ml_postgres', volume: 'ml_data' };
    Object.assign(yaml, { extraServices: { extra: { image: 'e:1', listen: 80, publish: { port: 8081 } } } });
  },
  { lock: undefined },
);
const claims = servicesOf(environment.settings, environment.name);
const { containers, volumes } = synthesiseEnvironment(environment);

test('every container of the stack is claimed', () => {
  const claimed = claims.flatMap((service) => service.containers.map(({ name }) => name));

  expect(claimed).toEqual(expect.arrayContaining(Object.values(containers).map(({ name }) => name)));
});

test('every data volume of the stack is claimed, and no other', () => {
  const files = Object.values(volumes).map(({ name }) => name);
  const mounted = Object.values(containers)
    .flatMap((container) => (container.mounts ?? []) as { type: string; source: string }[])
    .filter(({ type, source }) => type === 'volume' && !files.includes(source))
    .map(({ source }) => source);

  expect(claims.flatMap((service) => service.volumes.map(({ name }) => name)).sort()).toEqual(
    [...new Set(mounted)].sort(),
  );
});

test.each([environment, ...loadEnvironments({ cwd: ROOT })].map((each) => [each.file, each] as const))(
  'every volume with files of %s is known as the engine’s, and no data volume is',
  (_file, each) => {
    const services = servicesOf(each.settings, each.name);
    const made = Object.values(synthesiseEnvironment(each).volumes).map(({ name }) => String(name));
    const data = services.flatMap((service) => service.volumes.map(({ name }) => name));

    expect(made.some((name) => name.endsWith('-secrets'))).toBe(true);
    expect(made.filter((name) => !engineVolume(name, services))).toEqual([]);
    expect(data.filter((name) => engineVolume(name, services))).toEqual([]);
  },
);

test('every published port of the stack is claimed, and no other', () => {
  const ports = Object.values(containers).flatMap((container) => (container.ports ?? []) as { external: number }[]);

  expect(claims.flatMap(({ published }) => published.map(({ publish }) => publish.port)).sort()).toEqual(
    ports.map(({ external }) => external).sort(),
  );
});

test('the id of every workload of the stack is reserved', () => {
  const ids = Object.keys(containers).filter((id) => !id.endsWith('_files') && id !== 'extra');

  expect([...reservedIds(environment.settings)]).toEqual(expect.arrayContaining(ids));
});

test('exactly the services with a key are said to have one', () => {
  const keyed = claims.filter(({ target, credential }) => target !== undefined && credential).map(({ id }) => id);

  expect(keyed.sort()).toEqual(['llm-main', 'qdrant', 'rag-api']);
});
