import { newest } from '../../secret-file.js';
import { CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, expectStatus, jsonOf } from './http.js';
import type { TargetOf } from './protocol.js';

/** Long enough for a batch of others before it, on a processor. */
const EMBED_SECONDS = 60;

/** An embedding server: it has the model, guards it, and makes vectors of the length that the environment names. */
export function embeddingChecks(target: TargetOf<'embeddings'>): ServiceChecks {
  const { id, needs, url, keyFile, model, dimension } = target;
  const authorised = async () => ({ authorization: `Bearer ${await newest(keyFile)}` });
  return {
    id,
    needs,
    ready: async (signal) => {
      const expected = `the model ${model}`;
      const reply = await askHttp({ url: `${url}/info`, headers: await authorised(), signal }, expected);
      expectStatus(reply, 200, expected);
      const { served_model_name: served } = jsonOf<{ served_model_name?: unknown }>(reply, expected);
      if (served === model) return;
      // It answers when it has loaded what it was told to load.
      throw new CheckFailure({ asked: reply.asked, expected, came: `the model ${String(served)}` }, { final: true });
    },
    checks: [
      {
        name: 'refuses a wrong key',
        seconds: 20,
        run: async (signal) => {
          for (const headers of [{}, { authorization: 'Bearer not-the-key-of-this-server' }]) {
            const reply = await embed(url, headers, signal);
            if (reply.status === 401) continue;
            const key = 'authorization' in headers ? 'a wrong key' : 'no key';
            throw new CheckFailure({
              asked: `${reply.asked} with ${key}`,
              expected: '401',
              came: String(reply.status),
            });
          }
        },
      },
      {
        name: 'makes a vector',
        seconds: EMBED_SECONDS,
        run: async (signal) => {
          const expected = `${dimension} numbers`;
          const reply = await embed(url, await authorised(), signal);
          expectStatus(reply, 200, expected);
          const { data } = jsonOf<{ data?: readonly { readonly embedding?: unknown }[] }>(reply, expected);
          const came = shapeOf(data?.[0]?.embedding, dimension);
          if (came !== undefined) throw new CheckFailure({ asked: reply.asked, expected, came });
        },
      },
    ],
  };
}

const embed = (url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) =>
  askHttp(
    { method: 'POST', url: `${url}/v1/embeddings`, headers, body: { input: 'какого цвета снег?' }, signal },
    '200',
  );

/** What is wrong with a vector; undefined when nothing is. */
function shapeOf(vector: unknown, dimension: number): string | undefined {
  if (!Array.isArray(vector)) return 'no vector';
  if (vector.length !== dimension) return `${vector.length} numbers`;
  // A model whose weights are broken answers too, with the same for every text.
  return vector.every((it) => typeof it === 'number') && vector.some((it) => it !== 0)
    ? undefined
    : 'a vector of nothing';
}
