import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { maskSecrets } from '../mask-secrets.js';
import { formatEvent, readLines } from './lines.js';
import { agentExporterChecks } from './smoke/agent-exporter.js';
import { alertmanagerChecks } from './smoke/alertmanager.js';
import { Board } from './smoke/board.js';
import type { ServiceChecks } from './smoke/check.js';
import { checkCited } from './smoke/cited.js';
import { embeddingChecks } from './smoke/embeddings.js';
import { exporterChecks } from './smoke/exporters.js';
import { grafanaChecks } from './smoke/grafana.js';
import { reaches } from './smoke/level.js';
import { llmChecks } from './smoke/llm.js';
import { walkPath } from './smoke/path.js';
import { postgresChecks } from './smoke/postgres.js';
import { prometheusChecks } from './smoke/prometheus.js';
import { SmokeCommand, type SmokeEvent, SmokePlan, smokeUser, type Target } from './smoke/protocol.js';
import { qdrantChecks } from './smoke/qdrant.js';
import { ragApiChecks } from './smoke/rag-api.js';
import { type RunContext, runService } from './smoke/runner.js';
import { sweepLeftovers } from './smoke/sweep.js';
import { webBotChecks } from './smoke/web-bot.js';

/** How long what was cut off may take to clean up behind itself, in milliseconds. */
const CLEANUP_MS = 15_000;

const SWEEP_MS = 10_000;

/** The command `operator-smoke`. It ends the process itself: a server that hangs would hold its connection, and that us. */
export async function runOperatorSmoke(
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<never> {
  const terminated = new AbortController();
  process.once('SIGTERM', () => terminated.abort());
  process.exit(await operatorSmoke(input, write, terminated.signal));
}

/**
 * Asks every service of the plan by its own protocol, side by side, then walks one document through all of them. It
 * tells each result as it comes, and stays to mask logs until its input ends.
 *
 * @param terminated aborts when the process is told to end
 */
export async function operatorSmoke(
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
  terminated: AbortSignal,
): Promise<0> {
  const lines = readLines(input);
  const first = await lines.next();
  const plan = SmokePlan.parse(JSON.parse(first.value ?? 'null'));
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, terminated, AbortSignal.timeout(plan.timeoutSeconds * 1000)]);
  const board = new Board(plan.failed);
  const secrets = await secretsOf(plan);
  const report = (event: SmokeEvent) => write(formatEvent(maskedEvent(event, secrets)));
  const context: RunContext = { board, report, signal, begun: new Set() };

  const obeying = obey(lines, board, report).finally(() => ended.abort());
  // A fault of the other side ends the checks now, and is thrown when they have cleaned up.
  obeying.catch(() => undefined);
  await runAll(plan, context);
  report({ event: 'done' });
  await Promise.race([obeying, once(terminated)]);
  return 0;
}

async function runAll(plan: SmokePlan, context: RunContext): Promise<void> {
  const swept = reaches(plan.level, 'service')
    ? sweepLeftovers(plan, AbortSignal.any([context.signal, AbortSignal.timeout(SWEEP_MS)]))
    : Promise.resolve();
  const asked = new Map(
    plan.targets.map((target) => [target.id, runService(checksOf(target, plan, context.board), context, plan.level)]),
  );
  const further: Promise<unknown>[] = [];
  if (reaches(plan.level, 'service')) further.push(checkCited(plan, context, (id) => asked.get(id)));
  if (reaches(plan.level, 'path')) {
    const bot = plan.targets.find(({ kind }) => kind === 'web-bot');
    // Not after all of them: a service that hangs until the time is up must not take the path with it.
    await Promise.all([swept, ...plan.path.needs.map((id) => asked.get(id))]);
    await walkPath(plan, context, asked.get(bot?.id ?? '') ?? Promise.resolve());
  }
  await Promise.all([swept, ...asked.values(), ...further]);
  await Promise.race([Promise.allSettled(context.begun), delay(CLEANUP_MS, undefined, { ref: false })]);
}

function checksOf(target: Target, plan: SmokePlan, board: Board): ServiceChecks {
  switch (target.kind) {
    case 'postgres':
      return postgresChecks(target, smokeUser(plan.run));
    case 'qdrant':
      return qdrantChecks(target, plan.run);
    case 'llm':
      return llmChecks(target);
    case 'rag-api':
      return ragApiChecks(target);
    case 'web-bot':
      return webBotChecks(target);
    case 'prometheus':
      return prometheusChecks(target, board);
    case 'embeddings':
      return embeddingChecks(target);
    case 'exporter':
      return exporterChecks(target);
    case 'agent-exporter':
      return agentExporterChecks(target);
    case 'alertmanager':
      return alertmanagerChecks(target);
    case 'grafana':
      return grafanaChecks(target);
    default:
      return target satisfies never;
  }
}

/** Do what the other side says, until it says no more. */
async function obey(lines: AsyncIterable<string>, board: Board, report: (event: SmokeEvent) => void): Promise<void> {
  for await (const line of lines) {
    const command = SmokeCommand.parse(JSON.parse(line));
    if (command.command === 'failed') board.lose(command.service, command.came);
    else report({ event: 'masked', id: command.id, text: command.text });
  }
}

/** Whatever answers may repeat what it was sent. */
function maskedEvent(event: SmokeEvent, secrets: readonly string[]): SmokeEvent {
  const mask = (text: string) => maskSecrets(text, secrets);
  switch (event.event) {
    case 'check': {
      const { asked, expected, came } = event.result;
      const texts = { ...(asked && { asked: mask(asked) }), ...(expected && { expected: mask(expected) }) };
      return { ...event, result: { ...event.result, ...texts, ...(came && { came: mask(came) }) } };
    }
    case 'waiting':
      return { ...event, for: mask(event.for) };
    case 'masked':
      return { ...event, text: mask(event.text) };
    default:
      return event;
  }
}

/** Every value that this session was given, old versions too. */
async function secretsOf({ targets }: SmokePlan): Promise<readonly string[]> {
  const files = targets.flatMap((target) => {
    if ('keyFile' in target) return target.keyFile === undefined ? [] : [target.keyFile];
    return 'passwordFile' in target ? [target.passwordFile] : [];
  });
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const values = folders.map(async (folder) => {
    const names = await readdir(folder);
    return Promise.all(names.map(async (name) => (await readFile(join(folder, name), 'utf8')).trim()));
  });
  return (await Promise.all(values)).flat();
}

async function once(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
