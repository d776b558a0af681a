import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FINDING_IDS } from '../../src/doctor/catalogue/index.js';
import { DOCTOR_FAULTS } from '../faults/list/doctor.js';
import { RECORDED } from './support/recorded.js';

const testsSay = ['collect', 'host', 'unreachable', 'read-log', 'jobs']
  .map((name) => readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8'))
  .join('\n');

/** How each kind of finding is provoked: on a deployed stack, by recorded text, by real parts and what an engine answers. */
const table = FINDING_IDS.map((id) => ({
  id,
  deployed: DOCTOR_FAULTS.filter(({ expects }) => expects === id).length,
  recorded: RECORDED.filter((it) => it.id === id).length,
  tests: testsSay.split(`'${id}'`).length - 1,
}));

test('every kind of finding is provoked', () => {
  const width = Math.max(...FINDING_IDS.map(({ length }) => length));
  const row = (cells: readonly (string | number)[]) =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(width) : String(cell).padStart(9))).join(' ');
  const total = (column: 'deployed' | 'recorded') => table.filter((it) => it[column] > 0).length;
  process.stdout.write(
    `${[
      row(['finding', 'deployed', 'recorded', 'tests']),
      ...table.map(({ id, deployed, recorded, tests }) => row([id, deployed, recorded, tests])),
      row([
        `${table.length} kinds`,
        total('deployed'),
        total('recorded'),
        table.filter(({ tests }) => tests > 0).length,
      ]),
    ].join('\n')}\n`,
  );
  expect(
    table.filter(({ deployed, recorded, tests }) => deployed + recorded + tests === 0).map(({ id }) => id),
  ).toEqual([]);
});

test('a fault of a deployed stack has a name of its own', () => {
  expect(new Set(DOCTOR_FAULTS.map(({ id }) => id)).size).toBe(DOCTOR_FAULTS.length);
});
