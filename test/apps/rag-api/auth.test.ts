import { describe, expect, test, vi } from 'vitest';
import { BearerKeys } from '../../../src/apps/rag-api/auth.js';

describe('BearerKeys', () => {
  test.each([
    [undefined, false],
    ['', false],
    ['Bearer ', false],
    ['Bearer new', true],
    ['bearer new', true],
    ['Bearer old', true],
    ['Bearer older', false],
    ['Basic new', false],
    ['new', false],
    ['Bearer new old', false],
  ])('%j: %j', async (header, accepted) => {
    expect(await new BearerKeys(async () => ['new', 'old']).accepts(header)).toBe(accepted);
  });

  test('sees a rotation within seconds, without reading the files for every request', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let keys = ['one'];
      const read = vi.fn(async () => keys);
      const bearer = new BearerKeys(read);
      for (let request = 0; request < 10; request += 1) await bearer.accepts('Bearer one');
      expect(read).toHaveBeenCalledTimes(1);
      keys = ['two', 'one'];
      vi.advanceTimersByTime(2500);
      expect(await bearer.accepts('Bearer two')).toBe(true);
      expect(await bearer.accepts('Bearer one')).toBe(true);
      keys = ['three', 'two'];
      vi.advanceTimersByTime(2500);
      expect(await bearer.accepts('Bearer one')).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  test('looks for a key that it does not know at once, and not for each of many', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let keys = ['one'];
      const read = vi.fn(async () => keys);
      const bearer = new BearerKeys(read);
      expect(await bearer.accepts('Bearer one')).toBe(true);
      keys = ['two', 'one'];
      vi.advanceTimersByTime(300);
      expect(await bearer.accepts('Bearer two')).toBe(true);
      expect(read).toHaveBeenCalledTimes(2);
      for (let request = 0; request < 10; request += 1) expect(await bearer.accepts('Bearer three')).toBe(false);
      expect(read).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test('keeps the keys it knows while the files cannot be read', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let broken = false;
      const bearer = new BearerKeys(async () => {
        if (broken) throw new Error('EIO');
        return ['one'];
      });
      expect(await bearer.accepts('Bearer one')).toBe(true);
      broken = true;
      vi.advanceTimersByTime(2500);
      expect(await bearer.accepts('Bearer one')).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
