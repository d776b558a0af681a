import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readRecording } from './qdrant/harness/recording.js';
import { type Result, replay } from './qdrant/harness/replay.js';

/** Exchanges that the stand-in is known to answer otherwise, each with its reason. */
const known: readonly { name: string; reason: string }[] = JSON.parse(
  readFileSync(new URL('./qdrant/differences.json', import.meta.url), 'utf8'),
);

describe('the stand-in answers as the recorded Qdrant 1.19.0 did', () => {
  const recording = readRecording();
  let results: Result[] = [];

  beforeAll(async () => {
    results = await replay(recording);
    console.log(table(results));
  });

  test('every exchange was dealt with', () => {
    expect(results).toHaveLength(recording.length);
  });

  test('status, headers and body of every exchange on a served path', () => {
    const names = new Set(known.map(({ name }) => name));
    const unexpected = results.flatMap(({ exchange, outcome }) =>
      outcome.kind === 'different' && !names.has(exchange.name) ? [`${exchange.name}: ${outcome.what}`] : [],
    );
    expect(unexpected).toEqual([]);
  });

  test('every known difference still differs', () => {
    const different = results.filter(({ outcome }) => outcome.kind === 'different');
    const names = new Set(different.map(({ exchange }) => exchange.name));
    expect(known.filter(({ name }) => !names.has(name))).toEqual([]);
  });
});

function table(results: readonly Result[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of results) {
    const row = outcome.kind === 'not applicable' ? `not applicable: ${outcome.why}` : outcome.kind;
    counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([row, count]) => `${String(count).padStart(5)}  ${row}`)
    .join('\n');
}
