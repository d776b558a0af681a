import { askFrom } from '../support/ask.js';
import type { Fault } from '../support/fault.js';
import { type Manner, standBetween } from '../support/impostor.js';
import { prod } from '../support/stacks.js';

/** Length of the vectors of the model that prod names. */
const DIMENSION = 1024;

const SERVER = { service: 'embeddings', port: 8080 } as const;

/** What a text comes to, for whoever has this key; the API's own where none is given. */
async function vectorOf(headers?: Readonly<Record<string, string>>): Promise<readonly number[] | undefined> {
  const { status, text } = await askFrom(prod, 'rag-api', {
    url: `http://${prod.engine.nameOf(SERVER.service)}:${SERVER.port}/v1/embeddings`,
    method: 'POST',
    body: { input: 'какого цвета снег?' },
    ...(headers ? { headers } : { key: { file: 'embeddings-api-key.v1', header: 'authorization' } }),
  });
  return status === 200 ? (JSON.parse(text).data[0].embedding as number[]) : undefined;
}

/** A server between the embedding server and its clients changes the answers; the embedding server itself is healthy. */
const between = (name: string, manner: Manner, check: string, isBroken: Fault['isBroken']): Fault => ({
  name,
  deployment: prod,
  breaks: () => standBetween(prod, manner, SERVER),
  isBroken,
  expects: { service: SERVER.service, check },
});

export const EMBEDDING_FAULTS: readonly Fault[] = [
  between('the embeddings have another dimension', 'narrow', 'makes a vector', async () => {
    const vector = await vectorOf();
    return vector !== undefined && vector.length < DIMENSION;
  }),
  between('the embeddings are nothing but zeros', 'nothing', 'makes a vector', async () => {
    const vector = await vectorOf();
    return vector?.every((it) => it === 0) ?? false;
  }),
  between('the embedding server opens to a wrong key', 'open', 'refuses a wrong key', async () => {
    return (await vectorOf({ authorization: 'Bearer a-wrong-key' })) !== undefined;
  }),
];
