import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type ChatSocket, Delivery } from '../../../src/apps/web-bot/delivery.js';

/** A socket whose connection takes packets or does not, as the test says. */
class StandInSocket {
  readonly chunks: string[] = [];
  readonly conn = { transport: { writable: true } };

  emit(event: string, data: { text: string }): void {
    if (event === 'bot_chunk') this.chunks.push(data.text);
  }
}

const OUTCOME = { ok: true, reason: 'complete', exchange_id: null, sources: [] } as const;

describe('a delivery', () => {
  let socket: StandInSocket;
  let delivery: Delivery;

  beforeEach(() => {
    vi.useFakeTimers();
    socket = new StandInSocket();
    const limits = { coalesceMs: 40, coalesceCharacters: 10 };
    delivery = new Delivery(socket as unknown as ChatSocket, 'question-1', limits, () => {});
    delivery.begin();
    return () => vi.useRealTimers();
  });

  test('sends the first words at once and gathers the next for a while', () => {
    for (const piece of ['a', 'b', 'c']) delivery.text(piece);
    expect(socket.chunks).toEqual(['a']);
    vi.advanceTimersByTime(39);
    expect(socket.chunks).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect(socket.chunks).toEqual(['a', 'bc']);
  });

  test('does not wait when much has gathered', () => {
    for (const piece of ['a', 'bbbbb', 'ccccc', 'd']) delivery.text(piece);
    expect(socket.chunks).toEqual(['a', 'bbbbbccccc']);
  });

  test('gathers for as long as the connection takes nothing', () => {
    delivery.text('a');
    socket.conn.transport.writable = false;
    for (let index = 0; index < 50; index++) {
      delivery.text('0123456789');
      vi.advanceTimersByTime(40);
    }
    expect(socket.chunks).toEqual(['a']);
    socket.conn.transport.writable = true;
    vi.advanceTimersByTime(40);
    expect(socket.chunks).toEqual(['a', '0123456789'.repeat(50)]);
  });

  test('sends what has gathered when the answer ends, and nothing after it', () => {
    delivery.text('a');
    socket.conn.transport.writable = false;
    delivery.text('b');
    delivery.end(OUTCOME);
    expect(socket.chunks).toEqual(['a', 'b']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('sends nothing more once it is cancelled', () => {
    delivery.text('a');
    delivery.text('b');
    delivery.cancel();
    vi.advanceTimersByTime(1000);
    expect(socket.chunks).toEqual(['a']);
  });
});
