import { randomInt } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import { ingest } from '../../../rag/ingest/ingest.js';
import type { PassageStore } from '../../../rag/ports.js';
import { BM25, bm25Document } from '../../../rag/retrieval/qdrant-layout.js';
import { QdrantPassageStore } from '../../../rag/retrieval/qdrant-store.js';
import { openEmbedder } from '../../embedder.js';
import { FileCredential } from '../../secret-file.js';
import { CheckFailure } from './check.js';
import { expectStatus, jsonOf } from './http.js';
import type { TargetOf } from './protocol.js';
import { askQdrant } from './qdrant.js';

/** Sources of scratch documents begin so; the rest is the run. */
export const SCRATCH_PREFIX = 'ragdock-smoke/';
const ENDING = '.md';

/** A word that only scratch documents hold, by which they are found whatever run made them. */
const LABEL = 'ragdocksmoke';

/** Longest wait for the vectors of a scratch document, in milliseconds. */
const EMBED_TIMEOUT_MS = 30_000;

/** Scratch documents of cut-off runs that one run removes. */
const MOST_LEFTOVERS = 100;

/** Where a scratch document is. */
export interface ScratchPlace {
  readonly collection: string;
  readonly course: string;
}

/** Opens the collection that the path goes through. */
export type OpenStore = () => Promise<PassageStore>;

/** A document that only this run knows, in the collection where real ones are. */
export class ScratchDocument {
  readonly source: string;
  /** A word that no other document holds. */
  readonly marker = newMarker();
  readonly #open: OpenStore;
  readonly #collection: string;
  readonly #course: string;

  constructor(open: OpenStore, { collection, course }: ScratchPlace, run: string) {
    this.#open = open;
    this.#collection = collection;
    this.#course = course;
    this.source = `${SCRATCH_PREFIX}${run}${ENDING}`;
  }

  get question(): string {
    return `Когда включают прибор ${this.marker} и кто за него отвечает?`;
  }

  get text(): string {
    return [
      `# Прибор ${this.marker}`,
      '',
      `Прибор ${this.marker} стоит в лаборатории на втором этаже. Его включают в понедельник в девять часов утра,`,
      'проверяют каждую среду после обеда и выключают в пятницу вечером. За прибор',
      `${this.marker} отвечает дежурный инженер, его телефон записан в журнале лаборатории.`,
      '',
      `Этот документ создан проверкой (${LABEL}) и удаляется вместе с ней.`,
      '',
    ].join('\n');
  }

  /** Throws unless the document was taken as a new one. */
  async ingest(): Promise<void> {
    const document = { path: this.source, content: this.text };
    const asked = `ingest ${this.source} into ${this.#collection}`;
    await this.#withStore(async (store) => {
      for await (const { status, chunks, error } of ingest([document], store, this.#course)) {
        if (status === 'new' && chunks > 0) continue;
        throw new CheckFailure({
          asked,
          expected: 'a new document',
          came: `${status}: ${error ?? `${chunks} passages`}`,
        });
      }
    });
  }

  /** Throws unless nothing of the document is left. */
  async remove(): Promise<void> {
    const key = { course: this.#course, source: this.source };
    await this.#withStore(async (store) => {
      // No version of a document has this hash, so that all of them are others.
      await store.removeOthers(key, 'none');
      const { all } = await store.count(key, 'none');
      if (all > 0) {
        const asked = `remove ${this.source} from ${this.#collection}`;
        throw new CheckFailure({ asked, expected: 'nothing left', came: `${all} passages` });
      }
    });
  }

  async #withStore(work: (store: PassageStore) => Promise<void>): Promise<void> {
    const store = await this.#open();
    try {
      await work(store);
    } finally {
      await store.close();
    }
  }
}

/** Opens a collection of Qdrant, whose vectors the embedding server makes if there is one. */
export function openerOf(
  { url, keyFile }: TargetOf<'qdrant'>,
  embeddings: TargetOf<'embeddings'> | undefined,
  collection: string,
): OpenStore {
  return async () => {
    const embedder = await openEmbedder(embeddings, {
      url: embeddings?.url,
      keyFile: embeddings?.keyFile,
      timeoutMs: EMBED_TIMEOUT_MS,
    });
    return QdrantPassageStore.open(url, await FileCredential.open(keyFile), collection, embedder);
  };
}

/** Remove from Qdrant the scratch documents of runs that were cut off. */
export async function sweepScratchDocuments(
  qdrant: TargetOf<'qdrant'>,
  embeddings: TargetOf<'embeddings'> | undefined,
  path: ScratchPlace,
  isLeftover: (run: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const reply = await askQdrant(qdrant, {
    method: 'POST',
    path: `/collections/${encodeURIComponent(path.collection)}/points/query`,
    body: {
      query: bm25Document(LABEL, languageOf(qdrant, path.collection)),
      using: BM25,
      filter: { must: [{ key: 'course', match: { value: path.course } }] },
      limit: MOST_LEFTOVERS,
      with_payload: ['source'],
    },
    signal,
  });
  expectStatus(reply, 200);
  const { result } = jsonOf<{ result: Schemas['QueryResponse'] }>(reply, 'points');
  const sources = new Set(result.points.map(({ payload }) => String(payload?.source)));
  for (const source of sources) {
    const run = source.slice(SCRATCH_PREFIX.length, -ENDING.length);
    if (!source.startsWith(SCRATCH_PREFIX) || !isLeftover(run)) continue;
    await new ScratchDocument(openerOf(qdrant, embeddings, path.collection), path, run).remove();
  }
}

function languageOf({ collections }: TargetOf<'qdrant'>, collection: string) {
  const found = collections.find(({ name }) => name === collection);
  if (!found) throw new Error(`the plan names the collection ${collection}, and Qdrant's target does not`);
  return found.language;
}

/** Twelve Russian letters, consonants and vowels in turn, with an ending that no stemmer takes off. */
function newMarker(): string {
  const consonants = [...'бгджзкмпрст'];
  const vowels = [...'аоу'];
  const letters = Array.from({ length: 11 }, (_, index) => pick(index % 2 === 0 ? consonants : vowels));
  return `${letters.join('')}кс`;
}

const pick = (letters: readonly string[]): string => letters[randomInt(letters.length)] ?? '';
