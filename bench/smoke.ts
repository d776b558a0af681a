import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SmokeReport } from '../src/smoke/report.js';

// How long `ragdock smoke` takes on a stack that is ready, and which checks take it: several runs, each in a process of
// its own. Needs `npm run build` and a deployed environment: npm run bench:smoke -- dev --runs 5

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const AIM_SECONDS = 30;
const DEFAULT_RUNS = 3;

/** Checks that take less are not worth a line, in seconds. */
const SHORT_SECONDS = 0.1;

interface Run {
  readonly report: SmokeReport;
  /** From the start of the command to its end. */
  readonly wholeSeconds: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: String(DEFAULT_RUNS) }, level: { type: 'string', default: 'path' } },
});
const [environment] = positionals;
const count = Number(values.runs);
if (environment === undefined || !Number.isInteger(count) || count < 1) {
  process.stderr.write('usage: npm run bench:smoke -- ENV [--runs N] [--level up|service|path]\n');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'ragdock-bench-'));
try {
  const runs: Run[] = [];
  for (let run = 1; run <= count; run += 1) {
    runs.push(await measure(environment, values.level));
    const { report, wholeSeconds } = runs.at(-1) as Run;
    const word = report.ok ? 'ok' : 'FAILED';
    line(
      `run ${run}`,
      `${report.seconds.toFixed(1)} s, ${wholeSeconds.toFixed(1)} s with the start of the command, ${word}`,
    );
  }
  print(runs);
  process.exitCode = runs.every(({ report }) => report.ok) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(env: string, level: string): Promise<Run> {
  const file = join(folder, 'smoke.json');
  const began = performance.now();
  const said = await new Promise<string>((resolve) => {
    const args = [MAIN, 'smoke', env, '--level', level, '--json', file];
    execFile(process.execPath, args, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  const wholeSeconds = (performance.now() - began) / 1000;
  try {
    return { report: SmokeReport.parse(JSON.parse(readFileSync(file, 'utf8'))), wholeSeconds };
  } catch {
    throw new Error(`there is no report:\n${said}`);
  }
}

/** What took longest first: the median of each check, and the longest. */
function print(runs: readonly Run[]): void {
  const seconds = new Map<string, number[]>();
  for (const { service, check, level, seconds: took } of runs.flatMap(({ report }) => report.checks)) {
    const name = `${service.padEnd(18)}  ${level.padEnd(7)}  ${check}`;
    seconds.set(name, [...(seconds.get(name) ?? []), took]);
  }
  const rows = [...seconds].map(([name, all]) => ({ name, median: median(all), most: Math.max(...all) }));
  const [long, short] = [
    rows.filter(({ most }) => most >= SHORT_SECONDS).sort((a, b) => b.median - a.median),
    rows.filter(({ most }) => most < SHORT_SECONDS),
  ];
  process.stdout.write('\nmedian  longest\n');
  for (const { name, median: middle, most } of long) {
    process.stdout.write(`${middle.toFixed(1).padStart(6)}  ${most.toFixed(1).padStart(7)}  ${name}\n`);
  }
  process.stdout.write(`${short.length} more checks, each below ${SHORT_SECONDS} s\n\n`);
  const total = median(runs.map(({ report }) => report.seconds));
  line('total', `${total.toFixed(1)} s, the median of ${runs.length}; checks run side by side`);
  line('aim', `${AIM_SECONDS} s: ${total <= AIM_SECONDS ? 'reached' : 'missed'}`);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function line(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(8)}  ${value}\n`);
}
