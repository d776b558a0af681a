import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FAILURES, type Failure } from '../../src/errors/catalogue.js';

const ROOT = new URL('../../', import.meta.url);

/** Every source of the product but the catalogue itself. */
const SOURCES = ['config', 'constructs', 'stacks', 'src'].flatMap((folder) =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== 'errors/catalogue.ts')
    .map((file) => readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8')),
);

describe.each(Object.entries<Failure>(FAILURES))('%s', (code, { title, remedy, exit }) => {
  test('is named like the others and says what is wrong and what to do', () => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)*$/);
    expect(title).toMatch(/^\S.*[^.]$/);
    expect(remedy).toMatch(/^\S.*\.$/s);
    expect([1, 2, 3]).toContain(exit);
  });

  test('is raised somewhere', () => {
    const name = new RegExp(`\\b${code}\\b`);
    expect(SOURCES.some((text) => name.test(text))).toBe(true);
  });
});
