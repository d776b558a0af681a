import { expect, test } from 'vitest';
import { wholeTopology } from '../../src/operator/stack.js';
import { expectedContainers } from '../../src/status/expected.js';
import { EngineImages } from '../../src/status/images.js';
import { devWith, synthesiseEnvironment } from '../support/environments.js';

const environment = devWith();
const BUNDLE = { context: '/nowhere', hash: 'aaaaaaaaaaaa' };

test('what is expected of each workload is what synth writes, wherever the bundle is', () => {
  const { json } = synthesiseEnvironment(environment);
  const expected = expectedContainers(environment, BUNDLE);

  for (const { node } of wholeTopology(environment).workloads) {
    const written = json.resource.docker_container[node.id].labels as { label: string; value: string }[];
    expect(expected.get(node.id)?.spec).toBe(written.find(({ label }) => label === 'ragdock.spec')?.value);
    expect(expected.get(node.id)?.spec).toMatch(/^[0-9a-f]{10}$/);
  }
  expect(expected.get('rag-api')?.image).toBe('ragdock-apps:aaaaaaaaaaaa');
  expect(expected.get('postgres')?.image).toMatch(/^postgres:\d/);
});

test('a changed setting is expected of its container alone', () => {
  const changed = expectedContainers(
    devWith((yaml) => {
      Object.assign(yaml.services.llm.main ?? {}, { threads: 3 });
    }),
    BUNDLE,
  );
  const before = expectedContainers(environment, BUNDLE);
  const differ = [...before.keys()].filter((id) => before.get(id)?.spec !== changed.get(id)?.spec);

  expect(differ).toEqual(['llm-main']);
});

test('an image is found by tag, by digest, and without the name of the registry that is asked by itself', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const images = new EngineImages([
    { Id: 'sha256:one', RepoTags: ['qdrant/qdrant:v1'], RepoDigests: [`qdrant/qdrant@${digest}`] },
    { Id: 'sha256:0123456789abcdef', RepoTags: null, RepoDigests: null },
  ] as never);

  expect(images.idOf('qdrant/qdrant:v1')).toBe('sha256:one');
  expect(images.idOf(`docker.io/qdrant/qdrant:v1@${digest}`)).toBe('sha256:one');
  expect(images.idOf(`qdrant/qdrant:v1@sha256:${'cd'.repeat(32)}`)).toBeUndefined();
  expect(images.nameOf('sha256:one', `qdrant/qdrant:v1@${digest}`)).toBe('qdrant/qdrant:v1');
  expect(images.nameOf('sha256:0123456789abcdef', undefined)).toBe('0123456789ab');
});
