import { expect, test } from 'vitest';
import { Qdrant, QdrantCollections, type QdrantCollectionsProps } from '../../../constructs/services/index.js';
import { QDRANT_COLLECTIONS_VARIABLES, QdrantCollectionsSettings } from '../../../src/apps/jobs/settings.js';
import { specOf, synthesiseWorkloads } from '../../support/synth.js';

const synth = (collections: QdrantCollectionsProps['collections']) =>
  synthesiseWorkloads((stack) => {
    new QdrantCollections(stack, 'collections', { qdrant: new Qdrant(stack, 'qdrant').http, collections });
  });

test('is told where Qdrant is and which collections to make', () => {
  const collections = [{ name: 'BD_curs_data', language: 'russian' as const }];
  const { container, files } = synth(collections);

  expect(container('collections').env).toEqual(
    expect.arrayContaining([
      `${QDRANT_COLLECTIONS_VARIABLES.qdrantUrl}=http://test-qdrant:6333`,
      `${QDRANT_COLLECTIONS_VARIABLES.qdrantKeyFile}=/run/secrets/qdrant-api-key`,
    ]),
  );
  const written = JSON.parse(files('collections_files')['/ragdock/etc-ragdock/settings.json'] ?? '');
  expect(QdrantCollectionsSettings.parse(written)).toEqual({ collections, deadlineSeconds: 300 });
});

test('runs again when a collection is added', () => {
  const [before, after] = [
    synth([{ name: 'a', language: 'russian' }]),
    synth([
      { name: 'a', language: 'russian' },
      { name: 'b', language: 'english' },
    ]),
  ];

  expect(specOf(after.container('collections'))).not.toBe(specOf(before.container('collections')));
});
