import { expect, test } from 'vitest';
import { overrideContainer } from '../../constructs/engines/docker/index.js';
import type { RagStack } from '../../stacks/rag-stack.js';
import { devWith, differences, synthesiseEnvironment, type Yaml } from '../support/environments.js';

const dev = synthesiseEnvironment(devWith());

/** Addresses of what a change of dev's settings changes. */
const changedBy = (change: (yaml: Yaml) => void): readonly string[] =>
  differences(dev, synthesiseEnvironment(devWith(change)));

const mainModel = (yaml: Yaml) => {
  const model = yaml.services.llm.main;
  if (!model) throw new Error('dev has a model called main');
  return model;
};

test('nothing changes by itself', () => {
  expect(changedBy(() => {})).toEqual([]);
});

test('a sampling value changes the RAG API alone', () => {
  const colder = (yaml: Yaml) => {
    const model = mainModel(yaml);
    model.sampling = { ...model.sampling, temperature: 0.2 };
  };

  expect(changedBy(colder)).toEqual([
    'docker_container.rag-api',
    'docker_container.rag-api_files',
    'docker_volume.rag-api_etc-ragdock',
  ]);
});

test('a setting of PostgreSQL changes PostgreSQL alone', () => {
  expect(
    changedBy(({ services }) => Object.assign(services, { postgres: { settings: { work_mem: '32MB' } } })),
  ).toEqual(['docker_container.postgres', 'docker_container.postgres_files', 'docker_volume.postgres_etc-postgresql']);
});

test('a scrape interval changes what carries Prometheus’ file, and not Prometheus', () => {
  expect(changedBy(({ services }) => Object.assign(services, { prometheus: { scrapeInterval: '5s' } }))).toEqual([
    'docker_container.prometheus_files',
  ]);
});

test('memory is changed in place', () => {
  const after = synthesiseEnvironment(
    devWith(({ services }) => Object.assign(services, { qdrant: { memory: '2GiB' } })),
  );

  expect(differences(dev, after)).toEqual(['docker_container.qdrant']);
  const { memory, memory_swap, ...before } = dev.container('qdrant');
  expect(after.container('qdrant')).toEqual({ ...before, memory: 2048, memory_swap: 2048 });
});

test('a new collection runs its job again and replaces the RAG API', () => {
  const collections = { BD_curs_data: {}, BD_chat_question: {}, BD_organization_question: {}, BD_new: {} };

  expect(changedBy(({ services }) => Object.assign(services.api, { collections }))).toEqual([
    'docker_container.qdrant-collections',
    'docker_container.qdrant-collections_files',
    'docker_container.rag-api',
    'docker_container.rag-api_files',
    'docker_volume.qdrant-collections_etc-ragdock',
    'docker_volume.rag-api_etc-ragdock',
  ]);
});

test('a new version of a secret replaces exactly those that cannot reread it', () => {
  const environment = devWith();
  const { lock } = environment;
  if (!lock) throw new Error('dev has a lock file');
  const secrets = { ...lock.secrets, 'qdrant-api-key': { version: 2 } };
  const after = synthesiseEnvironment({ ...environment, lock: { ...lock, secrets } });

  expect(differences(dev, after)).toEqual([
    'docker_container.qdrant',
    'docker_container.qdrant-collections',
    'docker_container.qdrant-collections_files',
    'docker_container.qdrant_files',
    'docker_container.rag-api_files',
  ]);
});

test('an extra service adds itself and its networks, and renumbers none', () => {
  const extraServices: Yaml['extraServices'] = {
    aardvark: { image: 'aardvark:1', connections: { qdrant: { url: 'QDRANT_URL', credential: 'QDRANT_KEY_FILE' } } },
  };
  const environment = devWith((yaml) => Object.assign(yaml, { extraServices }));
  const after = synthesiseEnvironment(environment);

  expect(differences(dev, after)).toEqual([
    'docker_container.aardvark',
    'docker_container.aardvark_files',
    // It joins the new network.
    'docker_container.qdrant',
    'docker_image.aardvark-1',
    'docker_network.aardvark--qdrant',
    'docker_volume.aardvark_secrets',
  ]);
  const subnets = Object.entries(after.networks).map(([id, network]) => [id, network.ipam_config[0].subnet]);
  expect(Object.fromEntries(subnets)).toMatchObject(devWith().lock?.networks ?? {});
});

test('an override changes its container alone', () => {
  const withHostname = (stack: RagStack) =>
    overrideContainer(stack.services.webBot as never, (config) => ({ ...config, hostname: 'chat' }));

  expect(differences(dev, synthesiseEnvironment(devWith(), withHostname))).toEqual(['docker_container.web-bot']);
});
