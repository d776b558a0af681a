import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FINDING_IDS, FINDING_KINDS } from '../../src/doctor/catalogue/index.js';
import { doctorReportSchema } from '../../src/doctor/report.js';
import { ROOT } from '../support/environments.js';

const page = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8');

test('every kind of finding has a section, and every section is of a kind', () => {
  const sections = [...page.matchAll(/^#### (.+)$/gm)].map(([, id]) => id);
  expect(sections).toEqual(FINDING_IDS);
});

test.each(FINDING_IDS)('%s has evidence, meaning and remedy, with nothing left open', (id) => {
  const [, section = ''] = page.split(`\n#### ${id}\n`);
  const [text = ''] = section.split('\n#### ');
  expect(text).toMatch(/- Seen in: .+\n- Meaning: .+\n- Remedy: .+`.*\n/);
  expect(text).not.toMatch(/<\w+>/);
  expect(FINDING_KINDS[id].rank).toBeLessThan(100);
});

test('the settings that remedies name are there', () => {
  const schema = readFileSync(join(ROOT, 'config/schema.json'), 'utf8');
  const named = Object.values(FINDING_KINDS).flatMap(({ meaning, remedy }) =>
    [...`${meaning} ${remedy}`.matchAll(/`([a-z][a-zA-Z]*(?:\.[a-z][a-zA-Z]*)*)(?:: [^`]+)?`/g)].flatMap(
      ([, path = '']) => path.split('.'),
    ),
  );

  expect(named).toContain('maxModelLen');
  expect([...new Set(named)].filter((name) => !schema.includes(`"${name}": {`))).toEqual([]);
});

test('the schema names every kind', () => {
  for (const id of FINDING_IDS) expect(doctorReportSchema()).toContain(`"${id}"`);
});
