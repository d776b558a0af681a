import { expect } from 'vitest';
import { parse } from 'yaml';
import { collectionDefinition } from '../../../src/rag/retrieval/qdrant-layout.js';
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

/** How the job makes the first collection: its points get a vector of the model and one of words. */
function made(saiga: Saiga): ReturnType<typeof collectionDefinition> {
  const [first] = saiga.json('qdrant-collections').collections;
  expect(first.embedding).toEqual(saiga.json('rag-api').embeddings);
  return collectionDefinition(first);
}

/** What the API asks one collection: a batch with the closest by vectors, then the fusion. */
async function asked(saiga: Saiga) {
  const [search] = await searchQdrant(saiga);
  if (!search) throw new Error('Qdrant was not asked');
  const [closest, fused] = search.body.searches;
  return { search, closest, fused };
}

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
  'Векторные представления учебных материалов': (saiga) => {
    const { vectors, sparse_vectors } = made(saiga);
    return [...Object.keys(vectors ?? {}), ...Object.keys(sparse_vectors ?? {})];
  },
  BD_chat_question: collection('BD_chat_question'),
  'История взаимодействий': (saiga) => [saiga.variable('rag-api', 'POSTGRES_URL')],
  BD_organization_question: collection('BD_organization_question'),
  'def vector_store_session():': (saiga) => [saiga.variable('rag-api', 'QDRANT_URL')],
  'embeddings = HuggingFaceEmbeddings(': (saiga) => {
    expect(saiga.json('rag-api').embeddings.model).toBe('deepvk/USER-bge-m3');
    const jobs: { job_name: string }[] = parse(saiga.file('prometheus', '/prometheus.yml')).scrape_configs;
    const [job] = jobs.filter(({ job_name }) => job_name === 'embeddings');
    return [
      saiga.said('embeddings.model.name'),
      saiga.container('embeddings').name,
      job?.job_name ?? '',
      'EMBEDDINGS_URL',
    ].filter((quoted) => quoted !== 'EMBEDDINGS_URL' || saiga.hasVariable('rag-api', quoted));
  },
  'store = QdrantVectorStore(': async (saiga) => {
    const { closest, fused } = await asked(saiga);
    expect(saiga.json('rag-api').collections.every(({ layout }: { layout?: string }) => layout === undefined)).toBe(
      true,
    );
    return [closest.using, fused.prefetch[1].using, 'layout: langchain'];
  },
  'collection_name="DS_local_new2"': (saiga) => {
    expect(collections(saiga)).not.toContain('DS_local_new2');
    return collections(saiga);
  },
  'url="http://qdrant:6333"': (saiga) => [saiga.variable('rag-api', 'QDRANT_URL')],
  'def safe_semantic_search(query, k=3, threshold=0.7):': async (saiga) => {
    const limits = saiga.json('rag-api').collections.map(({ limit }: { limit: number }) => limit);
    expect(limits).toEqual([3, 3, 3]);
    // More are asked for, so that copies and ties are put aside here.
    for (const { body } of await searchQdrant(saiga)) expect(body.searches[1].limit).toBeGreaterThan(3);
    return ['limit: 3'];
  },
  'results = vs.similarity_search_with_relevance_scores(': async (saiga) => {
    const { search, fused } = await asked(saiga);
    return [fused.prefetch[1].query.model, search.path.replace(/^\/collections\/\w+/, ''), fused.query.fusion];
  },
  '(doc.page_content, score)': async (saiga) => {
    const { search, fused } = await asked(saiga);
    expect(fused.with_payload).toBe(true);
    const [passage] = search.passages;
    expect(passage).toMatchObject({ text: 'Осмос – это …', score: 12.5 });
    return ['text', 'score'];
  },
  'if score > threshold': async (saiga) => {
    for (const { body } of await searchQdrant(saiga)) expect(JSON.stringify(body)).not.toContain('score_threshold');
    expect(saiga.json('rag-api')).not.toHaveProperty('gate');
    return ['gate.similarity', `noContext: ${saiga.json('rag-api').noContext}`];
  },
};
