import { readFileSync } from 'node:fs';

/** An option of the recorded parser, as `test/recordings/vllm/flags.json` holds it. */
interface RecordedAction {
  readonly flags: readonly string[];
  readonly type: string | null;
  readonly nargs: string | number | null;
  readonly choices: readonly unknown[] | null;
  readonly help: string;
}

const RECORDING = new URL('../test/recordings/vllm/flags.json', import.meta.url);

/** Kinds of the types that the parser itself names. */
const KINDS: Readonly<Record<string, string>> = {
  int: 'int',
  float: 'float',
  str: 'text',
  human_readable_int: 'amount',
  human_readable_int_or_auto: 'amount-or-auto',
  parse_dataclass: 'json',
  loads: 'json',
  _parse_type: 'json',
  union_dict_and_str: 'json-or-text',
};

/** The parser hides the type of an option that may be None; for these its documentation says a number. */
const HIDDEN: Readonly<Record<string, string>> = {
  '--cpu-distributed-timeout-seconds': 'int',
  '--distributed-timeout-seconds': 'int',
  '--grpc-port': 'int',
  '--kv-offloading-size': 'float',
  '--mamba-block-size': 'int',
  '--max-cpu-loras': 'int',
  '--max-log-len': 'int',
  '--max-num-active-seqs': 'int',
  '--max-num-queued-reqs': 'int',
  '--max-parallel-loading-workers': 'int',
  '--num-gpu-blocks-override': 'int',
  '--numa-bind-nodes': 'int',
  '--video-pruning-rate': 'float',
};

/** `constructs/services/vllm/flag-table.ts`: what the recorded parser of vLLM takes, one line for each flag. */
export function vllmFlagTable(): string {
  const actions: readonly RecordedAction[] = JSON.parse(readFileSync(RECORDING, 'utf8'));
  const lines = actions.flatMap(lineOf).sort();
  return [
    '/**\n',
    ' * Every flag of `vllm serve` 0.32.0, generated from a recording of its parser by `npm run generate`: names, kind (`+` for\n',
    ' * a list) and choices.\n',
    ' */\n',
    `export const FLAG_TABLE = \`\n${lines.join('\n')}\n\`;\n`,
  ].join('');
}

function lineOf(action: RecordedAction): readonly string[] {
  const [name] = action.flags;
  if (name === undefined || name === '-h') return [];
  const negative = action.flags.filter((flag) => flag.startsWith('--no-'));
  const names = action.flags.filter((flag) => !negative.includes(flag));
  const isSwitch = action.nargs === 0;
  const kind = isSwitch ? (negative.length > 0 ? 'switch' : 'on') : kindOf(name, action);
  const choices = (action.choices ?? []).filter((choice) => choice !== null && choice !== 'None');
  const parts = [
    names.join(' '),
    `${kind}${action.nargs === '+' ? '+' : ''}`,
    ...(choices.length > 0 ? [choices.join(' ')] : []),
  ];
  return [parts.join(' | ')];
}

function kindOf(name: string, { type, help }: RecordedAction): string {
  if (type !== null && type in KINDS) return KINDS[type] as string;
  if (HIDDEN[name] !== undefined) return HIDDEN[name];
  if (help.trim().startsWith('Parse human-readable')) return 'amount';
  return /^\s*(Should either be a valid JSON|API docs:)/.test(help) ? 'json' : 'text';
}
