import { expect } from 'vitest';
import { parse } from 'yaml';
import { collectionDefinition } from '../../../src/rag/retrieval/qdrant-layout.js';
import type { Resource } from '../../support/synth.js';
import { searchQdrant } from './observed.js';
import type { Check, Checks, Saiga } from './saiga.js';

const ID = 'qdrant';

const collections = (saiga: Saiga): readonly string[] =>
  saiga.json('qdrant-collections').collections.map(({ name }: { name: string }) => name);

/** A collection that a job makes and the API searches. */
const collection =
  (name: string): Check =>
  async (saiga) => {
    expect(collections(saiga)).toContain(name);
    expect((await searchQdrant(saiga)).map(({ path }) => path)).toContain(`/collections/${name}/points/query/batch`);
    return [`api.collections.${name}`];
  };

/** The search of the first collection by vectors alone, and by vectors and words. */
async function searches(saiga: Saiga): Promise<readonly [Resource, Resource]> {
  const [search] = await searchQdrant(saiga);
  const [byVector, hybrid] = search?.body.searches ?? [];
  return [byVector, hybrid];
}

/** How saiga's job makes its first collection. */
const definition = (saiga: Saiga) => collectionDefinition(saiga.json('qdrant-collections').collections[0]);

export const QDRANT: Checks = {
  'Порты: your_port (API), your_port (внутренний)': (saiga) => [saiga.published(ID, 6333), saiga.published(ID, 6334)],
  'Volumes: qdrant_storage_new': (saiga) => [saiga.said('qdrant.volume')],
  'Контейнер: qdrant_new': (saiga) => [saiga.container(ID).name],
  'image: qdrant/qdrant:latest': (saiga) => [saiga.image(ID)],
  'container_name: qdrant_new': (saiga) => [saiga.said('qdrant.container')],
  'restart: unless-stopped': (saiga) => [`restart: ${saiga.container(ID).restart}`],
  '"your_port:6333"': (saiga) => [saiga.published(ID, 6333)],
  '"your_port:6334"': (saiga) => [saiga.published(ID, 6334)],
  'qdrant_storage_new:/qdrant/storage': (saiga) => [saiga.mount(ID, '/qdrant/storage')],
  'QDRANT_ALLOW_RECOVERY=true': (saiga) => {
    const [, , script, name] = saiga.container(ID).entrypoint;
    expect(saiga.container(ID).env.join()).not.toContain('RECOVERY=true');
    return [saiga.said('qdrant.recoveryMode'), name, /QDRANT__STORAGE__RECOVERY_MODE/.exec(script)?.[0] ?? ''];
  },
  BD_curs_data: collection('BD_curs_data'),
  'Векторные представления учебных материалов': async (saiga) => {
    const { vectors, sparse_vectors, metadata } = definition(saiga);
    expect(metadata).toMatchObject({ embedding: 'deepvk/USER-bge-m3', dimension: 1024 });
    return [...Object.keys(vectors ?? {}), String(metadata?.embedding), ...Object.keys(sparse_vectors ?? {})];
  },
  BD_chat_question: collection('BD_chat_question'),
  'История взаимодействий': (saiga) => [saiga.variable('rag-api', 'POSTGRES_URL')],
  BD_organization_question: collection('BD_organization_question'),
  'def vector_store_session():': (saiga) => [saiga.variable('rag-api', 'QDRANT_URL')],
  'embeddings = HuggingFaceEmbeddings(': (saiga) => {
    const jobs: { job_name: string }[] = parse(saiga.file('prometheus', '/prometheus.yml')).scrape_configs;
    const [job] = jobs.filter(({ job_name }) => job_name === 'embeddings');
    return [
      saiga.said('embeddings.model.name'),
      saiga.container('embeddings').name,
      job?.job_name ?? '',
      saiga.variable('rag-api', 'EMBEDDINGS_URL'),
    ];
  },
  'store = QdrantVectorStore(': async (saiga) => {
    const [byVector] = await searches(saiga);
    return [byVector.using, ...Object.keys(definition(saiga).sparse_vectors ?? {}), 'layout: langchain'];
  },
  'collection_name="DS_local_new2"': (saiga) => {
    expect(collections(saiga)).not.toContain('DS_local_new2');
    return collections(saiga);
  },
  'url="http://qdrant:6333"': (saiga) => [saiga.variable('rag-api', 'QDRANT_URL')],
  'def safe_semantic_search(query, k=3, threshold=0.7):': async (saiga) => {
    const asked = await searchQdrant(saiga);
    expect(asked.map(({ body }) => body.searches[1].limit)).toEqual([3, 3, 3]);
    return ['limit: 3'];
  },
  'results = vs.similarity_search_with_relevance_scores(': async (saiga) => {
    const [search] = await searchQdrant(saiga);
    const [byVector, hybrid] = await searches(saiga);
    expect(hybrid.prefetch).toContainEqual(expect.objectContaining({ using: byVector.using }));
    const byWords = hybrid.prefetch.find(({ using }: Resource) => using === 'bm25');
    return [byWords.query.model, hybrid.query.fusion, search?.path.replace(/^\/collections\/\w+/, '') ?? ''];
  },
  '(doc.page_content, score)': async (saiga) => {
    const [search] = await searchQdrant(saiga);
    expect((await searches(saiga))[1].with_payload).toBe(true);
    const [passage] = search?.passages ?? [];
    expect(passage).toMatchObject({ text: 'Осмос – это …', score: 12.5 });
    return ['text', 'score'];
  },
  'if score > threshold': async (saiga) => {
    for (const { body } of await searchQdrant(saiga)) expect(JSON.stringify(body)).not.toContain('score_threshold');
    expect(saiga.json('rag-api').gate ?? {}).toEqual({});
    return ['api.gate.similarity', `noContext: ${saiga.json('rag-api').noContext}`];
  },
};
