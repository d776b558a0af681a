import type { Metrics } from '../../evaluation/evaluate.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { addMeasuringOptions, type MeasuringOptions, readSet, searchSet } from '../measuring.js';

interface Options extends MeasuringOptions {
  readonly json?: true;
}

const NAMES = { 'ndcg@10': 'nDCG@10', 'recall@3': 'R@3', mrr: 'MRR' } as const;

/** Decimals of a measure as data; more would be noise of the sample a thousand times over. */
const DECIMALS = 6;

/** `ragdock eval`: how well questions find what answers them. */
export function registerEval(program: RagdockCommand, io: Io): void {
  const command = program
    .command('eval')
    .summary('measure how well questions find answers')
    .description(
      'measure the search with questions of which is known what answers them: a folder with corpus.jsonl, queries.jsonl and qrels.tsv in the layout of BEIR',
    )
    .argument('<folder>', 'folder with the judged set');
  addMeasuringOptions(command)
    .option('--json', 'one JSON object on stdout')
    .example('ragdock eval questions/', 'the search of `ragdock up`, in this process')
    .example('ragdock eval questions/ --env dev --json', 'the Qdrant of a running stack, in a collection of its own')
    .action((dir: string, options: Options) => evaluateSet(dir, options, io));
}

async function evaluateSet(dir: string, options: Options, io: Io): Promise<void> {
  const { evaluate } = await import('../../evaluation/evaluate.js');
  const folder = await readSet(dir, io);
  const { by, found } = await searchSet({ folder, forGate: false }, options, io);
  const metrics = evaluate(folder.questions, found);
  const { questions, skipped, ids } = folder;
  if (options.json) {
    const report = { metrics: rounded(metrics), queries: questions.length, skipped, passages: ids.size, by };
    io.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  io.stdout.write(`${questions.length} questions, ${ids.size} passages, by ${by}; in brackets the 95 % interval\n`);
  for (const [name, { value, low, high }] of Object.entries(metrics)) {
    const shown = NAMES[name as keyof Metrics].padEnd(7);
    io.stdout.write(`${shown}  ${value.toFixed(3)}  [${low.toFixed(3)}, ${high.toFixed(3)}]\n`);
  }
}

function rounded(metrics: Metrics): Metrics {
  const short = (value: number) => Number(value.toFixed(DECIMALS));
  return Object.fromEntries(
    Object.entries(metrics).map(([name, { value, low, high }]) => [
      name,
      { value: short(value), low: short(low), high: short(high) },
    ]),
  ) as unknown as Metrics;
}
