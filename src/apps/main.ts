import { RagdockError } from '../errors/problem.js';
import { JobFailure } from './jobs/job.js';
import { shareNameLookups } from './name-lookups.js';

/** Does one command; gives the exit code when it is not 0. */
// biome-ignore lint/suspicious/noConfusingVoidType: most commands end with no result at all
type Command = (args: readonly string[]) => Promise<number | void>;

const environment = process.env;
const write = (text: string) => void process.stdout.write(text);
const report = (line: string) => write(`${line}\n`);

/** Modules are loaded by the command that needs them: a job should not wait for a web server that it never starts. */
const COMMANDS: Readonly<Record<string, Command>> = {
  'rag-api': async () => (await import('./rag-api/main.js')).runRagApi(environment),
  'web-bot': async () => (await import('./web-bot/main.js')).runWebBot(environment),
  'agent-exporter': async () => (await import('./agent-exporter/main.js')).runAgentExporter(environment),
  'job-postgres-roles': async () => (await import('./jobs/postgres-roles.js')).runPostgresRoles(environment, report),
  'job-postgres-logins': async () => (await import('./jobs/postgres-logins.js')).runPostgresLogins(environment, report),
  'job-qdrant-collections': async () =>
    (await import('./jobs/qdrant-collections.js')).runQdrantCollections(environment, report),
  'job-grafana-admin': async () => (await import('./jobs/grafana-admin.js')).runGrafanaAdmin(environment, report),
  'job-model': async () => (await import('./jobs/model.js')).runModel(environment, report),
  'job-hugging-face': async () => (await import('./jobs/hugging-face.js')).runHuggingFace(environment, report),
  'job-ownership': async (args) => (await import('./jobs/ownership.js')).giveOwnership(args, report),
  'operator-ingest': async (args) =>
    (await import('./operator/ingest.js')).operatorIngest(args, environment, process.stdin, write),
  'operator-documents': async (args) =>
    (await import('./operator/documents.js')).operatorDocuments(args, environment, process.stdin, write),
  'operator-ask': async () => (await import('./operator/ask.js')).operatorAsk(environment, process.stdin, write),
  'operator-mask': async (args) => (await import('./operator/mask.js')).operatorMask(args, process.stdin, write),
  'operator-eval': async () => (await import('./operator/eval.js')).runOperatorEval(environment, process.stdin, write),
  'operator-smoke': async () => (await import('./operator/smoke.js')).runOperatorSmoke(process.stdin, write),
};

shareNameLookups();
const [name = '', ...args] = process.argv.slice(2);
try {
  process.exitCode = (await commandOf(name)(args)) ?? 0;
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  // Not the exit code alone: a port that listens already, or a connection, would keep a failed command alive.
  process.exit(error instanceof RagdockError ? error.exitCode : 1);
}

function commandOf(command: string): Command {
  const known = COMMANDS[command];
  if (known) return known;
  const message = `expected one of ${Object.keys(COMMANDS).join(', ')}; got ${command || 'nothing'}`;
  throw new RagdockError({ code: 'USAGE', message });
}

/** What a user can act on is one message; a stack trace is shown for faults of ours, to who asks for it. */
function describe(error: unknown): string {
  if (error instanceof RagdockError) return error.message;
  if (error instanceof JobFailure) return `${name} failed: ${error.message}`;
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && environment.RAGDOCK_DEBUG ? `\n${error.stack}` : '';
  return `${name} failed: ${message}${stack}`;
}
