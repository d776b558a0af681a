import { spawnSync } from 'node:child_process';

/** A program of Node and the folder that it runs in. */
export interface Program {
  readonly name: string;
  readonly cwd: string;
  readonly program: string;
}

/** Seconds of the first program and of the second. */
export type Pair = readonly [number, number];

/** Run two programs in turn, each time the other one first. */
export function timePairs([a, b]: readonly [Program, Program], pairs: number): readonly Pair[] {
  return Array.from({ length: pairs }, (_, index): Pair => {
    if (index % 2 === 0) return [seconds(a), seconds(b)];
    const second = seconds(b);
    return [seconds(a), second];
  });
}

function seconds({ name, cwd, program }: Program): number {
  const { RAGDOCK_ENV: _one, CDKTF_OUTDIR: _elsewhere, ...env } = process.env;
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [program], { cwd, env, encoding: 'utf8' });
  const end = performance.now();
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
  return (end - start) / 1000;
}

/** The middle of numbers, and the smallest and largest. */
export function summarise(numbers: readonly number[]): { median: number; least: number; most: number } {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, least: at(0), most: at(sorted.length - 1) };
}
