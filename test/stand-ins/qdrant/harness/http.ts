import { Agent, request } from 'node:http';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The exact bytes; `{ announced }` sends only the head with that content-length and waits for the answer. */
  readonly body?: string | { readonly announced: number };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Its idle time is below the server's 5 s, so that a connection is never used just as the server closes it. */
export const keepAlive = new Agent({ keepAlive: true, timeout: 4_000 });

/**
 * One HTTP exchange, with nothing added that the caller did not ask for but Host, Connection and Content-Length.
 * Without an agent that keeps connections open, the server is asked to close this one.
 */
export function exchange(port: number, sent: Sent, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = typeof sent.body === 'string' ? Buffer.from(sent.body) : undefined;
    const length = typeof sent.body === 'object' ? sent.body.announced : body?.length;
    const outgoing = request({
      host: '127.0.0.1',
      port,
      ...(agent === undefined ? {} : { agent }),
      method: sent.method,
      path: sent.path,
      headers: {
        ...(agent === undefined ? { connection: 'close' } : {}),
        ...(length === undefined ? {} : { 'content-length': length }),
        ...sent.headers,
      },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
        if (typeof sent.body === 'object') {
          outgoing.destroy();
        }
      });
    });
    if (typeof sent.body === 'object') {
      outgoing.flushHeaders();
    } else {
      outgoing.end(body);
    }
  });
}

/** A JSON request and its parsed answer. */
export async function call(
  port: number,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: unknown }> {
  const answer = await exchange(port, {
    method,
    path,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = answer.body.toString();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}
