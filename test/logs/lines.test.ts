import { describe, expect, test } from 'vitest';
import { maskSecrets } from '../../src/apps/mask-secrets.js';
import { LineAssembler, type LogLine } from '../../src/logs/lines.js';
import { mergeByTime } from '../../src/logs/merge.js';
import { Position } from '../../src/logs/position.js';
import { sinceOf } from '../../src/logs/source.js';
import { formatLines } from '../../src/logs/text.js';

const at = (second: number) => `2026-11-22T10:00:${String(second).padStart(2, '0')}.000000000Z`;
const out = (text: string | Buffer) => ({ stream: 'stdout', data: Buffer.from(text) }) as const;
const err = (text: string) => ({ stream: 'stderr', data: Buffer.from(text) }) as const;
const line = (service: string, second: number, text = `${service} ${second}`): LogLine => ({
  service,
  time: at(second),
  text,
  cut: false,
});

describe('lines', () => {
  const assembler = () => new LineAssembler('qdrant');

  test('come with their times, several in a frame too, and empty ones', () => {
    expect(assembler().push(out(`${at(1)} one\n${at(2)} \n${at(3)} three\n`))).toEqual([
      line('qdrant', 1, 'one'),
      line('qdrant', 2, ''),
      line('qdrant', 3, 'three'),
    ]);
  });

  test('that the engine cut into messages are whole again, without the times of the later parts', () => {
    const it = assembler();

    expect(it.push(out(`${at(1)} the sec`))).toEqual([]);
    expect(it.push(out(`${at(2)} ret is`))).toEqual([]);
    expect(it.push(out(`${at(3)}  out\n`))).toEqual([line('qdrant', 1, 'the secret is out')]);
  });

  test('are cut inside of a character, and whole again', () => {
    const it = assembler();
    const bytes = Buffer.from('Ж');
    it.push(out(Buffer.concat([Buffer.from(`${at(1)} `), bytes.subarray(0, 1)])));

    expect(it.push(out(Buffer.concat([bytes.subarray(1), Buffer.from('\n')])))).toEqual([line('qdrant', 1, 'Ж')]);
  });

  test('of the two streams do not mix', () => {
    const it = assembler();
    it.push(out(`${at(1)} out`));

    expect(it.push(err(`${at(2)} err\n`))).toEqual([line('qdrant', 2, 'err')]);
    expect(it.end()).toEqual([line('qdrant', 1, 'out')]);
    expect(it.end()).toEqual([]);
  });

  test('lose what could steer a terminal, also inside a secret, before it is masked', () => {
    const [found] = assembler().push(out(`${at(1)} \u001b[31mcorrect-\u0000horse-battery\r\n`));

    expect(found?.text).toBe('[31mcorrect-horse-battery');
  });

  test('without an end are held to a limit, and say that they are cut', async () => {
    const it = assembler();
    const secret = 'correct-horse-battery';
    it.push(out(`${at(1)} `));
    // The limit falls into the last of very many secrets.
    for (let i = 0; i < 60_000; i++) it.push(out(`${secret}, `));
    const [found] = it.push(out('\n'));
    const masker = {
      mask: async (lines: readonly string[]) => lines.map((text) => maskSecrets(text, [secret])),
      close: async () => undefined,
    };
    const text = await formatLines(found ? [found] : [], masker, { service: (name) => name, timestamps: false });

    expect(found?.cut).toBe(true);
    expect(text).toMatch(/^qdrant \| (\*\*\*, )+.{0,4}… \(cut\)\n$/);
    expect(text.length).toBeLessThan(70_000);
  });
});

describe('merging', () => {
  async function* log(...lines: LogLine[]): AsyncGenerator<LogLine> {
    yield* lines;
  }

  test('gives the lines of several logs in the order of their times, each log’s in its own', async () => {
    const merged: string[] = [];
    const logs = [log(line('a', 1), line('a', 4)), log(), log(line('b', 2), line('b', 3), line('b', 3, 'again'))];
    for await (const { text } of mergeByTime(logs)) merged.push(text);

    expect(merged).toEqual(['a 1', 'b 2', 'b 3', 'again', 'a 4']);
  });

  test('ends the logs when nobody reads on', async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<LogLine> {
      try {
        for (;;) yield line('a', 1);
      } finally {
        ended = true;
      }
    }
    for await (const _ of mergeByTime([endless()])) break;

    expect(ended).toBe(true);
  });
});

test('a log that is opened again goes on behind the line that was read last', () => {
  const position = new Position();
  const read = (...lines: LogLine[]) => lines.filter((it) => position.isNew(it)).map(({ text }) => text);

  expect(read(line('a', 1), line('a', 2, 'x'), line('a', 2, 'y'))).toEqual(['a 1', 'x', 'y']);
  position.reopened();
  expect(read(line('a', 2, 'x'), line('a', 2, 'y'), line('a', 2, 'z'), line('a', 3))).toEqual(['z', 'a 3']);
  // Of two streams: a line that was begun earlier may end later.
  expect(read(line('a', 2, 'late'))).toEqual(['late']);
  position.reset();
  expect(read(line('a', 1))).toEqual(['a 1']);
});

test.each([
  ['2026-11-22T10:00:01.000000002Z', '1795341601.000000002'],
  ['2026-11-22T10:00:01.5Z', '1795341601.500000000'],
  ['2026-11-22T10:00:01Z', '1795341601.000000000'],
])('%s is asked for as %s', (time, seconds) => {
  expect(sinceOf(time)).toBe(seconds);
});
