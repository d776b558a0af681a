import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// How long `npm start` takes to its first answer, and how much memory it holds: a first start, which makes its database
// and takes in the demo course, then starts that find both. Needs `npm run build`.

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const LATER_STARTS = 3;
const AIM = { seconds: 10, megabytes: 600 };

interface Measured {
  /** From the start of the process to the first words of its first answer, which a first start asks for itself. */
  readonly answerSeconds: number;
  /** To the line that says where the chat is. */
  readonly readySeconds: number;
  /** Resident memory when it is ready and idle, in units of 10^6 bytes. */
  readonly residentMb: number;
}

const folder = mkdtempSync(join(tmpdir(), 'ragdock-bench-'));
try {
  const first = await measure(folder);
  const later: Measured[] = [];
  for (let run = 0; run < LATER_STARTS; run += 1) later.push(await measure(folder));
  print('first start', first);
  print('later start', middle(later));
  process.stdout.write(`aim          ${AIM.seconds} s to the first answer, ${AIM.megabytes} MB\n`);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(dataFolder: string): Promise<Measured> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const up = spawn(process.execPath, [MAIN, 'up', '--port', '0', '--data-dir', dataFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const demo = readUntil(up, /^› .+\n./m).then(seconds);
    const text = await readUntil(up, /^chat +(\S+)$[\s\S]*Ctrl-C/m);
    const readySeconds = seconds();
    const [, url = ''] = /^chat +(\S+)$/m.exec(text) ?? [];
    const response = await fetch(`${url}/process_message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Что такое уравнение времени?', user_name: 'bench', course: 'sundials' }),
    });
    const answerSeconds = text.includes('\n› ') ? await demo : seconds();
    demo.catch(() => undefined);
    await response.text();
    const resident = execFileSync('ps', ['-o', 'rss=', '-p', String(up.pid)], { encoding: 'utf8' });
    return { answerSeconds, readySeconds, residentMb: Number(resident) * 1.024e-3 };
  } finally {
    up.kill('SIGINT');
    await once(up, 'close');
  }
}

/** What it has written when the pattern matches; what follows is read and dropped. */
function readUntil({ stdout }: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stdout?.setEncoding('utf8');
    stdout?.on('data', (chunk: string) => {
      text += chunk;
      if (pattern.test(text)) resolve(text);
    });
    stdout?.on('end', () => reject(new Error(`it ended before it was ready:\n${text}`)));
  });
}

/** The run whose time is in the middle. */
function middle(runs: readonly Measured[]): Measured {
  const sorted = [...runs].sort((a, b) => a.answerSeconds - b.answerSeconds);
  const chosen = sorted[Math.floor(sorted.length / 2)];
  if (!chosen) throw new Error('nothing was measured');
  return chosen;
}

function print(name: string, { answerSeconds, readySeconds, residentMb }: Measured): void {
  const times = `first answer after ${answerSeconds.toFixed(1)} s (ready after ${readySeconds.toFixed(1)} s)`;
  process.stdout.write(`${name}  ${times}, ${residentMb.toFixed(0)} MB resident\n`);
}
