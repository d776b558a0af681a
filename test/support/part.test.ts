import { expect, test } from 'vitest';
import { partOf } from './part.js';

test('parts of a list follow each other, and together are the list', () => {
  const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  for (const parts of [1, 2, 3, 7]) {
    const found = Array.from({ length: parts }, (_, index) => partOf(all, `${index + 1}/${parts}`));
    expect(found.flat()).toEqual(all);
    expect(found.every((part) => part.length > 0)).toBe(true);
  }
  expect(partOf(all, undefined)).toEqual(all);
  for (const wrong of ['0/2', '3/2', 'x', '1']) expect(() => partOf(all, wrong)).toThrow(/is no part such as 1\/3/);
});
