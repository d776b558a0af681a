import { collectionDefinition } from '../../../src/rag/retrieval/qdrant-layout.js';
import type { Deployment } from '../../deploy/support/deployment.js';
import { askQdrant } from '../support/ask.js';
import { inPlaceOf, runJob } from '../support/changes.js';
import type { Fault, Undo } from '../support/fault.js';
import { isFull, onFullVolume } from '../support/small-volume.js';
import { dev, prod } from '../support/stacks.js';

/** The collection that the document is in is made anew, or not at all. @param definition @default - it is not */
async function collectionInstead(deployment: Deployment, definition?: object): Promise<Undo> {
  const path = pathOf(deployment);
  const set = async (method: 'PUT' | 'DELETE', body?: object) => {
    const { status, text } = await askQdrant(deployment, path, { method, ...(body ? { body } : {}) });
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
  };
  await set('DELETE');
  if (definition) await set('PUT', definition);
  return async () => {
    if (definition) await set('DELETE');
    await runJob(deployment, 'qdrant-collections');
    await deployment.ingest();
  };
}

const pathOf = ({ description }: Deployment): string => `/collections/${description.collection}`;

const configOf = async (deployment: Deployment) =>
  JSON.parse((await askQdrant(deployment, pathOf(deployment))).text).result?.config;

/** Qdrant with one variable more than it was given. */
const withVariable = (variable: string) => () =>
  inPlaceOf(dev, 'qdrant', ({ Config }) => ({ Env: [...Config.Env, variable] }));

export const QDRANT_FAULTS: readonly Fault[] = [
  {
    name: 'a collection was deleted',
    deployment: dev,
    breaks: () => collectionInstead(dev),
    isBroken: async () => (await askQdrant(dev, pathOf(dev))).status === 404,
    expects: { service: 'qdrant', check: 'collections' },
  },
  {
    name: 'a collection is empty: made by hand, without its vectors',
    deployment: dev,
    breaks: () => collectionInstead(dev, {}),
    isBroken: async () => (await configOf(dev))?.params.sparse_vectors === undefined,
    expects: { service: 'qdrant', check: 'collections' },
  },
  {
    name: 'Qdrant is in recovery mode, and /readyz says 200',
    deployment: dev,
    breaks: withVariable('QDRANT__STORAGE__RECOVERY_MODE=for want of memory'),
    isBroken: async () => {
      const { status, text } = await askQdrant(dev, `${pathOf(dev)}/points/count`, { method: 'POST', body: {} });
      return status !== 0 && status !== 200 && /recovery|for want of memory/i.test(text);
    },
    expects: { service: 'qdrant', finding: 'qdrant-recovery-mode' },
  },
  {
    name: 'Qdrant may have no more collections, and /readyz says 200',
    deployment: dev,
    breaks: withVariable('QDRANT__STORAGE__MAX_COLLECTIONS=1'),
    isBroken: async () => {
      const path = '/collections/one-too-many';
      const body = collectionDefinition({ language: 'russian' });
      const { status } = await askQdrant(dev, path, { method: 'PUT', body });
      await askQdrant(dev, path, { method: 'DELETE' });
      return status !== 0 && status !== 200;
    },
    expects: { service: 'qdrant', check: 'writes and finds' },
  },
  {
    name: 'Qdrant’s volume of 200 MB is full',
    deployment: dev,
    breaks: () => onFullVolume(dev, 'qdrant', '/qdrant/storage'),
    isBroken: () => isFull(dev, 'qdrant', '/qdrant/storage'),
    expects: { service: 'qdrant', finding: 'disk-full' },
  },
];

export const WHOLE_QDRANT_FAULTS: readonly Fault[] = [
  {
    name: 'a collection’s vectors have another dimension',
    deployment: prod,
    breaks: () =>
      collectionInstead(
        prod,
        collectionDefinition({ language: 'russian', embedding: { model: 'deepvk/USER-bge-m3', dimension: 512 } }),
      ),
    isBroken: async () => (await configOf(prod))?.params.vectors?.dense?.size === 512,
    expects: { service: 'qdrant', check: 'collections' },
  },
];
