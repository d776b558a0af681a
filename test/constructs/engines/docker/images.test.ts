import { describe, expect, test } from 'vitest';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aService } from '../../../support/workloads.js';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const imagesOf = (references: Readonly<Record<string, string>>, digests: Record<string, string> = {}) =>
  synthesiseWorkloads(
    (stack) => {
      for (const [id, reference] of Object.entries(references)) aService(stack, id, { image: { reference } });
    },
    { images: digests },
  );

test('one reference is one image, however many run it', () => {
  const { images, container } = imagesOf({ a: 'prom/prometheus:v3', b: 'prom/prometheus:v3' });

  expect(Object.keys(images)).toEqual(['prom-prometheus-v3']);
  expect(container('a').image).toBe('${docker_image.prom-prometheus-v3.image_id}');
  expect(container('b').image).toBe(container('a').image);
});

test('an image is kept, and the new one is there before the old one goes', () => {
  expect(imagesOf({ a: 'prom/prometheus:v3' }).images['prom-prometheus-v3']).toEqual({
    name: 'prom/prometheus:v3',
    keep_locally: true,
    lifecycle: { create_before_destroy: true },
    timeouts: { create: '60m' },
  });
});

describe('digests', () => {
  test('come from the lock file', () => {
    const { images } = imagesOf({ a: 'postgres:15', b: 'qdrant/qdrant:v1' }, { 'postgres:15': DIGEST });

    expect(images['postgres-15']?.name).toBe(`postgres:15@${DIGEST}`);
    expect(images['qdrant-qdrant-v1']?.name).toBe('qdrant/qdrant:v1');
  });

  test('that the reference has stand, whatever the lock file says', () => {
    const reference = `postgres:15@sha256:${'cd'.repeat(32)}`;
    const { images } = imagesOf({ a: reference }, { [reference]: DIGEST });

    expect(Object.values(images).map((image) => image.name)).toEqual([reference]);
  });

  test('in a reference are part of the id', () => {
    const { images } = imagesOf({ a: 'postgres:15', b: `postgres:15@${DIGEST}` });

    expect(Object.keys(images).sort()).toEqual(['postgres-15', 'postgres-15-abababab']);
  });
});

test('ids do not depend on which other images there are', () => {
  const alone = imagesOf({ m: 'postgres:15' });
  const among = imagesOf({ a: 'postgres:16', m: 'postgres:15', z: 'postgres:14' });

  expect(among.container('m').image).toBe(alone.container('m').image);
  expect(Object.keys(among.images).sort()).toEqual(['postgres-14', 'postgres-15', 'postgres-16']);
});

test('an id starts with a letter or _, as Terraform wants it', () => {
  expect(Object.keys(imagesOf({ a: '3scale/app_x:1.0' }).images)).toEqual(['_3scale-app-x-1-0']);
});

test('the bundled apps are built from their bundle, and tagged with its hash', () => {
  const { images, container } = synthesiseWorkloads((stack) => {
    aService(stack, 'a', { image: 'bundled-apps' });
    aService(stack, 'b', { image: 'bundled-apps' });
  });

  expect(images).toEqual({
    'bundled-apps': {
      name: 'ragdock-apps:0123456789ab',
      build: { context: '../../../dist/apps' },
      triggers: { bundle: '0123456789ab' },
      keep_locally: true,
      lifecycle: { create_before_destroy: true },
      timeouts: { create: '60m' },
    },
  });
  expect(container('b').image).toBe('${docker_image.bundled-apps.image_id}');
});
