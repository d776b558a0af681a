import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Arrivals } from '../../src/rag/llm/arrivals.js';
import { until } from '../support/until.js';

const text = async (arrivals: Arrivals) => {
  const bytes = await arrivals.next();
  return bytes && Buffer.from(bytes).toString();
};

test('what came since the last time comes together, then the end', async () => {
  const body = new PassThrough();
  const arrivals = new Arrivals(body);
  const first = text(arrivals);
  body.write('a');
  expect(await first).toBe('a');
  body.write('b');
  body.write('c');
  body.end('d');
  await once(body, 'end');
  expect([await text(arrivals), await text(arrivals), await text(arrivals)]).toEqual(['bcd', undefined, undefined]);
});

test('what came before a body broke is given first', async () => {
  const body = new PassThrough();
  const arrivals = new Arrivals(body);
  body.write('a');
  await turn();
  body.destroy(new Error('broken'));
  await once(body, 'close').catch(() => undefined);
  expect(await text(arrivals)).toBe('a');
  await expect(arrivals.next()).rejects.toThrow('broken');
});

test('a body that is closed in the middle has not ended', async () => {
  const body = new PassThrough();
  const arrivals = new Arrivals(body);
  const waiting = arrivals.next();
  body.destroy();
  await expect(waiting).rejects.toThrow('closed before its end');
});

test('a reader that takes nothing holds the sender up', async () => {
  const piece = Buffer.alloc(10_000);
  const whole = 10_000_000;
  let sent = 0;
  const body = new Readable({
    read() {
      sent += piece.length;
      this.push(sent > whole ? null : piece);
    },
  });
  const arrivals = new Arrivals(body);
  await until('the sender waits', () => body.isPaused());
  await turn();
  expect(sent).toBeLessThan(200_000);
  let taken = 0;
  for (let bytes = await arrivals.next(); bytes; bytes = await arrivals.next()) taken += bytes.length;
  expect(taken).toBe(whole);
});
