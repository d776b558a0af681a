import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { summarise, timePairs } from '../../bench/synth/pairs.js';
import { temporaryFolder } from '../support/folder.js';

test('a summary has the middle, the smallest and the largest', () => {
  expect(summarise([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
  expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, least: 1, most: 4 });
});

test('programs run in turn, and one that fails ends the measurement', () => {
  const cwd = temporaryFolder();
  const write = (name: string, source: string) => {
    writeFileSync(join(cwd, `${name}.cjs`), source);
    return { name, cwd, program: join(cwd, `${name}.cjs`) };
  };
  const quick = write('quick', '');
  const slow = write('slow', 'const end = Date.now() + 300; while (Date.now() < end);');
  const pairs = timePairs([slow, quick], 2);
  expect(pairs).toHaveLength(2);
  for (const [a] of pairs) expect(a).toBeGreaterThan(0.25);
  const broken = write('broken', 'console.error("no"); process.exit(3)');
  expect(() => timePairs([quick, broken], 1)).toThrow(/broken ended with 3: no/);
});
