import { type Deployment, QUESTION } from './deployment.js';

/** From inside the API: every server that it knows is asked with its key and with one that is nearly right. */
export const strangeRequests = ({ engine, description: { llm } }: Deployment): string => `
const { readFileSync } = require('node:fs');
const key = (name) => readFileSync('/run/secrets/' + name + '.v1', 'utf8').trim();
const servers = [
  ['http://${engine.nameOf('qdrant')}:6333', key('qdrant-api-key'), ['/collections/no-such', '/collections/%ff', '/no/such/path']],
  ['http://${engine.nameOf(llm.service)}:${llm.port}', key('${llm.service}-api-key'), ['/v1/no-such', '/v1/chat/completions', '/v1/completions']],
];
(async () => {
  const answers = [];
  for (const [url, right, paths] of servers) for (const value of [right, right + 'x', right.toUpperCase()]) for (const path of paths) {
    for (const headers of [{ 'api-key': value }, { authorization: 'Bearer ' + value }]) {
      const reply = await fetch(url + path, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{"model": 7' }).catch((error) => error);
      answers.push(reply instanceof Error ? { status: 0, text: String(reply.cause ?? reply) } : { status: reply.status, text: await reply.text() });
    }
  }
  console.log(JSON.stringify(answers));
})();
`;

/** From inside the API: a question to itself, and how its answer begins: `{status, degraded, text}`. */
export const question = (course: string): string => `
const { readFileSync } = require('node:fs');
fetch('http://127.0.0.1:8000/process_message', {
  method: 'POST',
  headers: {
    authorization: 'Bearer ' + readFileSync('/run/secrets/rag-api-key.v1', 'utf8').trim(),
    'content-type': 'application/json',
  },
  body: JSON.stringify({ message: ${JSON.stringify(QUESTION)}, user_name: 'canary', course: ${JSON.stringify(course)} }),
}).then(async (reply) => {
  const degraded = reply.headers.get('x-rag-degraded') ?? '';
  // Of an answer its beginning will do: the model writes for long.
  const { value } = reply.ok ? await reply.body.getReader().read() : { value: await reply.bytes() };
  console.log(JSON.stringify({ status: reply.status, degraded, text: Buffer.from(value ?? []).toString() }));
  process.exit();
});
`;
