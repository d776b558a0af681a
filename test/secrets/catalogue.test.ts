import { expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { catalogueOf, givenSecretsOf } from '../../src/secrets/catalogue.js';
import { generateSecret } from '../../src/secrets/init.js';
import { ALPHABET, unsoundness } from '../../src/secrets/soundness.js';
import { devWith, ROOT } from '../support/environments.js';

test.each(['dev', 'saiga', 'prod', 'external'])(
  'every secret that the lock file of %s names has a purpose of its own, readers and an origin',
  (name) => {
    const environment = loadEnvironment(name, { cwd: ROOT });

    const catalogue = catalogueOf(environment.settings);

    expect(catalogue.map((entry) => entry.name)).toEqual(Object.keys(environment.lock?.secrets ?? {}).sort());
    for (const { purpose, readers, origin } of catalogue) {
      expect(purpose).toMatch(/^[a-z].{8,}[^.]$/);
      expect(readers.length).toBeGreaterThan(0);
      expect(origin).toMatch(/^(generated|given)$/);
    }
    expect(new Set(catalogue.map(({ purpose }) => purpose)).size).toBe(catalogue.length);
  },
);

test('readers are whoever is connected, jobs too', () => {
  const entry = catalogueOf(devWith().settings).find(({ name }) => name === 'qdrant-api-key');

  expect(entry).toEqual({
    name: 'qdrant-api-key',
    purpose: 'reads and writes every collection of Qdrant',
    readers: ['qdrant', 'qdrant-collections', 'rag-api'],
    origin: 'generated',
  });
});

test('what somebody else made is known as given', () => {
  const { settings } = loadEnvironment('external', { cwd: ROOT });

  expect(givenSecretsOf(settings).size).toBeGreaterThan(0);
  expect(
    catalogueOf(settings)
      .filter(({ origin }) => origin === 'given')
      .map(({ name }) => name),
  ).toEqual([...givenSecretsOf(settings)]);
});

test('a value that is made means itself in URLs and connection strings', () => {
  for (let count = 0; count < 1000; count++) {
    const value = generateSecret();
    expect(value).toMatch(ALPHABET);
    expect(encodeURIComponent(value)).toBe(value);
    expect(unsoundness(value)).toEqual([]);
  }
});
