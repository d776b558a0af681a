import { expect, test } from 'vitest';
import { demultiplex, type Frame } from '../../src/operator/demultiplex.js';
import { LineSplitter } from '../../src/operator/lines.js';
import { frame } from './support/scripted-engine.js';

const BYTES = Buffer.concat([frame(1, 'один\nдв'), frame(2, 'ошибка'), frame(1, ''), frame(1, 'а\nтри')]);

async function read(chunks: readonly Buffer[]): Promise<{ stdout: string; stderr: string }> {
  const pieces: Frame[] = [];
  for await (const piece of demultiplex(chunks)) pieces.push(piece);
  const of = (stream: Frame['stream']) =>
    Buffer.concat(pieces.filter((piece) => piece.stream === stream).map(({ data }) => data)).toString();
  return { stdout: of('stdout'), stderr: of('stderr') };
}

test('the streams are told apart wherever the bytes are cut', async () => {
  for (let cut = 0; cut <= BYTES.length; cut += 1) {
    expect(await read([BYTES.subarray(0, cut), BYTES.subarray(cut)])).toEqual({
      stdout: 'один\nдва\nтри',
      stderr: 'ошибка',
    });
  }
  expect(await read([...BYTES].map((byte) => Buffer.from([byte])))).toEqual({
    stdout: 'один\nдва\nтри',
    stderr: 'ошибка',
  });
});

test('a frame that was cut off is not given out', async () => {
  expect(await read([BYTES.subarray(0, BYTES.length - 1)])).toEqual({ stdout: 'один\nдв', stderr: 'ошибка' });
});

test('lines come out whole wherever the bytes are cut', () => {
  const bytes = Buffer.from('первая\n\nвторая\nтретья');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const lines = new LineSplitter();
    const out = [...lines.push(bytes.subarray(0, cut)), ...lines.push(bytes.subarray(cut)), ...lines.end()];
    expect(out).toEqual(['первая', 'вторая', 'третья']);
  }
});
