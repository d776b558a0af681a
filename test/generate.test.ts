import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { FAILURES } from '../src/errors/catalogue.js';
import { GENERATED, pathOf } from '../src/generate.js';

// The reference of the exports needs a compiler, which takes its time where others compute beside it.
vi.setConfig({ testTimeout: 120_000 });

describe.each(GENERATED.map((generated) => [generated.file, generated] as const))('%s', (_file, generated) => {
  test('is what the sources say', () => {
    expect(readFileSync(pathOf(generated), 'utf8'), 'run `npm run generate`').toBe(generated.content());
  });

  test('is the same every time and ends with one newline', () => {
    expect(generated.content()).toBe(generated.content());
    expect(generated.content()).toMatch(/[^\n]\n$/);
  });
});

const page = (file: string): string => {
  const generated = GENERATED.find((candidate) => candidate.file === file);
  if (!generated) throw new Error(`${file} is not generated`);
  return generated.content();
};

test('docs/errors.md has one section for each code', () => {
  const codes = [...page('docs/errors.md').matchAll(/^## (.+)$/gm)].map(([, code]) => code);
  expect(codes).toEqual(Object.keys(FAILURES));
});

test('docs/configuration.md says of every setting what it is and what it means', () => {
  const rows = page('docs/configuration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  expect(rows.length).toBeGreaterThan(100);
  for (const [, setting, kind, , description] of rows) {
    expect(description, `${setting} has no description`).not.toBe('');
    expect(kind, `${setting} has no type`).not.toBe('');
  }
  // Outside of code, a < would open an element that no page shows.
  expect(page('docs/configuration.md').replace(/`[^`]*`/g, '')).not.toContain('<');
  const names = rows.map(([, setting]) => setting);
  expect(names).toEqual(
    expect.arrayContaining(['`services.llm.<name>.model.sha256`', '`extraServices.<name>.volumes[].path`']),
  );
  expect(new Set(names).size).toBe(names.length);
});

test('config/schema.json lets a file leave to its template whatever it likes, but the version', () => {
  const schema = JSON.parse(page('config/schema.json'));
  expect(schema).toMatchObject({ $id: 'urn:ragdock:environment:1', required: ['schema'], additionalProperties: false });
  expect(schema.properties.services.required).toBeUndefined();
  const { anyOf: models, oneOf } = schema.properties.services.properties.llm.additionalProperties;
  // A file may leave out which of them it is, and would then be several.
  expect(oneOf).toBeUndefined();
  expect(models).toHaveLength(3);
  for (const model of models) expect(model.properties.model.required).toBeUndefined();
  // Lists are not merged, so what stands in them has to be complete.
  const { volumes } = schema.properties.extraServices.additionalProperties.properties;
  expect(volumes.items.required).toEqual(['name', 'path']);
});
