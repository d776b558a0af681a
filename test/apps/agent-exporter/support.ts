import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { preparePostgres } from '../../../src/apps/jobs/postgres-roles.js';
import { PostgresHistory } from '../../../src/rag/history/postgres.js';
import type { ExchangeOutcome, ExchangeSource } from '../../../src/rag/ports.js';
import { PostgresServer } from '../../support/postgres-server.js';

/** A server on which the job has made the roles of the API and of the exporter, for all tests of a file. */
export class PreparedPostgres {
  readonly passwords = { rag_api: 'of the api', agent_exporter: 'of the exporter' } as const;
  readonly folder = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  readonly server: PostgresServer;

  private constructor(server: PostgresServer) {
    this.server = server;
    for (const [name, value] of Object.entries({ superuser: server.password, ...this.passwords })) {
      writeFileSync(`${this.passwordFile(name)}.v1`, `${value}\n`);
    }
  }

  static async start(): Promise<PreparedPostgres> {
    const prepared = new PreparedPostgres(await PostgresServer.start());
    await prepared.prepare();
    return prepared;
  }

  passwordFile(name: string): string {
    return join(this.folder, name);
  }

  /** What the setup job does. */
  async prepare(database = 'postgres'): Promise<readonly string[]> {
    const lines: string[] = [];
    const roles = (['rag_api', 'agent_exporter'] as const).map((name) => ({
      name,
      passwordFile: `${this.passwordFile(name)}.v1`,
      grants: name === 'rag_api' ? ('history' as const) : ('numbers' as const),
    }));
    await preparePostgres(
      { database, roles, deadlineSeconds: 20 },
      { url: this.server.url('postgres', database), passwordFile: this.passwordFile('superuser') },
      (line) => lines.push(line),
    );
    return lines;
  }

  /** The history as the RAG API writes it. */
  history(): PostgresHistory {
    return new PostgresHistory({
      url: this.server.url('rag_api'),
      logins: async () => [{ user: 'rag_api', password: this.passwords.rag_api }],
    });
  }

  async remove(): Promise<void> {
    await this.server.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function sharedPostgres(): { readonly current: PreparedPostgres } {
  let prepared: PreparedPostgres | undefined;
  beforeAll(async () => {
    prepared = await PreparedPostgres.start();
  }, 60_000);
  afterAll(() => prepared?.remove());
  return {
    get current() {
      if (!prepared) throw new Error('the server was not started');
      return prepared;
    },
  };
}

export const QUESTION = 'what nobody but the API may read';

export const source = (collection: string): ExchangeSource => ({
  number: 1,
  collection,
  source: 'secret.md',
  title: 't',
  heading: '',
  score: 1,
  text: QUESTION,
});

const COMPLETE: ExchangeOutcome = {
  status: 'complete',
  answer: QUESTION,
  refused: false,
  sources: [source('a'), source('a'), source('b')],
  degraded: [],
  timings: { retrieval: 5, first_token: 1000, total: 3000 },
  finishReason: 'stop',
  promptTokens: 100,
  completionTokens: 10,
};

/** One exchange from its beginning to its end; gives its id. */
export async function exchange(
  history: PostgresHistory,
  course: string,
  outcome: Partial<ExchangeOutcome> = {},
  userName = 'somebody',
): Promise<string> {
  const id = randomUUID();
  await history.begin({ id, requestId: 'r', userName, course, question: QUESTION, model: 'm' });
  await history.finish(id, { ...COMPLETE, ...outcome });
  return id;
}
