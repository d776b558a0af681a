import { randomUUID } from 'node:crypto';
import { newest } from '../../secret-file.js';
import { CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, excerptOf, expectStatus } from './http.js';
import type { TargetOf } from './protocol.js';

/** The RAG API apart from its answers, which the path looks at: ready, and closed to whoever has no key. */
export function ragApiChecks({ id, needs, url, keyFile }: TargetOf<'rag-api'>): ServiceChecks {
  return {
    id,
    needs,
    ready: async (signal) => expectStatus(await askHttp({ url: `${url}/readyz`, signal }, '200'), 200),
    checks: [
      {
        name: 'refuses a wrong key',
        seconds: 10,
        run: async (signal) => {
          for (const headers of [{}, { authorization: 'Bearer not-the-key-of-this-service' }]) {
            const question = { method: 'POST', url: `${url}/process_message`, headers, body: {}, signal } as const;
            const reply = await askHttp(question, '401');
            if (reply.status === 401) continue;
            const key = 'authorization' in headers ? 'a wrong key' : 'no key';
            throw new CheckFailure({ asked: `${reply.asked} with ${key}`, expected: '401', came: excerptOf(reply) });
          }
        },
      },
      {
        name: 'takes its key',
        seconds: 10,
        run: async (signal) => {
          // A question would do as well, but this one costs the model nothing and changes nothing.
          const headers = { authorization: `Bearer ${await newest(keyFile)}` };
          const reply = await askHttp({ url: `${url}/exchanges/${randomUUID()}`, headers, signal }, '404');
          expectStatus(reply, 404, 'there is no exchange of this id');
        },
      },
    ],
  };
}
