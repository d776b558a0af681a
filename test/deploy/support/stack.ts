import { join } from 'node:path';
import { inject } from 'vitest';
import { execIn } from './engine.js';
import { type Outcome, ragdock, run } from './project.js';

export const DOCUMENT = 'test/deploy/documents/coffee-machine.md';
export const QUESTION = 'Когда чистят кофемашину?';

export interface Answer {
  readonly exchangeId: string;
  readonly chunks: readonly string[];
  readonly sources: readonly { readonly source: string; readonly collection: string }[];
}

/** Ask a question as a user does; fails if it is not answered to the end. */
export async function ask(question = QUESTION): Promise<Answer> {
  return parseAnswer(await ragdock('ask', question, '--env', 'dev', '--json'));
}

/** Ask, and give back nothing where the stack cannot answer right now. */
export async function tryToAsk(question = QUESTION): Promise<Answer | undefined> {
  const outcome = await run('npx', ['ragdock', 'ask', question, '--env', 'dev', '--json']);
  return outcome.code === 0 ? parseAnswer(outcome) : undefined;
}

function parseAnswer({ stdout }: Outcome): Answer {
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const accepted = events.find((event) => event.event === 'accepted');
  const done = events.find((event) => event.event === 'done');
  if (!accepted || !done) throw new Error(`the answer is not complete: ${stdout}`);
  return {
    exchangeId: accepted.exchangeId,
    chunks: events.filter((event) => event.event === 'chunk').map((event) => event.text),
    sources: done.sources,
  };
}

export async function ingest(path = DOCUMENT): Promise<Outcome> {
  return ragdock('ingest', path, '--collection', 'BD_curs_data', '--course', 'demo', '--env', 'dev');
}

/** One value from the database, as the superuser sees it. */
export async function sql(statement: string): Promise<string> {
  const script =
    'PGPASSWORD="$(cat /run/secrets/postgres-superuser-password.v1)"; export PGPASSWORD; exec psql -w -h /var/run/postgresql -U postgres -d ml_db -tAc "$1"';
  return (await execIn('postgres', ['sh', '-c', script, 'sh', statement])).trim();
}

/** A GET on Prometheus' API from inside its own container. */
export async function prometheus<T>(path: string): Promise<T> {
  const body = await execIn('prometheus', ['wget', '-q', '-O', '-', `http://127.0.0.1:9090/api/v1/${path}`]);
  return JSON.parse(body).data as T;
}

export const secretsFolder = (): string => join(inject('project'), '.ragdock/secrets/dev');
