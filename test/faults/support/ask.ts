import type { Deployment } from '../../deploy/support/deployment.js';

export interface Asked {
  /** 0: no answer at all. */
  readonly status: number;
  readonly text: string;
}

export interface Question {
  readonly url: string;
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** File of /run/secrets whose content goes into a header. @default - no header */
  readonly key?: { readonly file: string; readonly header: 'api-key' | 'authorization' };
  /** A header's value in place of a file's. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ask something over HTTP from inside a container that has Node, as whoever is in there would. */
export async function askFrom({ engine }: Deployment, service: string, question: Question): Promise<Asked> {
  const output = await engine.execIn(service, ['node', '-e', PROGRAM, JSON.stringify(question)]);
  return JSON.parse(output) as Asked;
}

/** A call of Qdrant's API with the key that the RAG API has. */
export const askQdrant = (
  deployment: Deployment,
  path: string,
  question: Omit<Question, 'url' | 'key'> = {},
): Promise<Asked> =>
  askFrom(deployment, 'rag-api', {
    ...question,
    url: `http://${deployment.engine.nameOf('qdrant')}:6333${path}`,
    key: { file: 'qdrant-api-key.v1', header: 'api-key' },
  });

/** A call of the model server, with the key that the RAG API has. */
export const askModel = (
  deployment: Deployment,
  path: string,
  question: Omit<Question, 'url' | 'key'> = {},
): Promise<Asked> => {
  const { service, port } = deployment.description.llm;
  return askFrom(deployment, 'rag-api', {
    ...question,
    url: `http://${deployment.engine.nameOf(service)}:${port}${path}`,
    key: { file: `${service}-api-key.v1`, header: 'authorization' },
  });
};

/** Whether the RAG API says that it can answer. */
export async function isReady(deployment: Deployment): Promise<boolean> {
  return (await askFrom(deployment, 'rag-api', { url: 'http://127.0.0.1:8000/readyz' })).status === 200;
}

/** A stream that falls silent is looked at for this long, in milliseconds. */
const PATIENCE_MS = 8000;

const PROGRAM = `
const { readFileSync } = require('node:fs');
const { url, method = 'GET', body, key, headers = {} } = JSON.parse(process.argv[1]);
const value = key && readFileSync('/run/secrets/' + key.file, 'utf8').trim();
const secret = key ? { [key.header]: key.header === 'authorization' ? 'Bearer ' + value : value } : {};
const json = body === undefined ? {} : { 'content-type': 'application/json' };
(async () => {
  let status = 0;
  let text = '';
  try {
    const reply = await fetch(url, {
      method,
      headers: { ...json, ...secret, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(${PATIENCE_MS}),
    });
    status = reply.status;
    for await (const bytes of reply.body ?? []) text += Buffer.from(bytes).toString();
  } catch (error) {
    text += String(error.cause ?? error);
  }
  console.log(JSON.stringify({ status, text }));
  process.exit();
})();
`;
