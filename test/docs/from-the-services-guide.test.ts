import { describe, expect, test } from 'vitest';
import { API, WEB_BOT } from './services-guide/apps.js';
import { GUIDE, hasGuide, NO_FACTS, readGuide } from './services-guide/guide.js';
import { LLM } from './services-guide/llm.js';
import { EXPORTERS, GRAFANA, PROMETHEUS, publishedPorts } from './services-guide/monitoring.js';
import { POSTGRES } from './services-guide/postgres.js';
import { QDRANT } from './services-guide/qdrant.js';
import { type Checks, Saiga } from './services-guide/saiga.js';
import { type Cell, readPage, tables } from './support/markdown.js';

// docs/from-the-services-guide.md says of every fact of the guide what saiga makes of it. Each row is checked: what its
// third cell quotes has to be what config/environments/saiga.yaml synthesises to, or what the apps do with its settings.

const PAGE = readPage('docs/from-the-services-guide.md');
const SAIGA = new Saiga();
const VERDICTS = ['same', 'safer', 'better', 'not yet'];

/** Section of the guide, heading of the table that is about it, and the checks of its rows. */
const TABLES: readonly (readonly [section: string, heading: string, checks: Checks])[] = [
  ['Saiga LLM Service', 'Saiga LLM Service', LLM],
  ['Qdrant Vector Database', 'Qdrant Vector Database', QDRANT],
  ['PostgreSQL Database', 'PostgreSQL Database', POSTGRES],
  ['Project API Service', 'Project API Service', API],
  ['WebBot2 Interface', 'WebBot2 Interface', WEB_BOT],
  ['Monitoring Services', 'Grafana', GRAFANA],
  ['Monitoring Services', 'Prometheus', PROMETHEUS],
  ['Monitoring Services', 'Exporters', EXPORTERS],
];

const rowsOf = (heading: string): readonly (readonly Cell[])[] => tables(PAGE, heading).flat();

describe.each(TABLES)('%s: %s', (_section, heading, checks) => {
  const rows = rowsOf(heading);

  test('every row has a check, and every check a row', () => {
    expect(rows.map(([guide]) => guide?.code[0])).toEqual(Object.keys(checks));
  });

  test.each(rows.map((row) => [row[0]?.code[0] ?? '(nothing is quoted)', row] as const))(
    '%s',
    async (key, [guide, verdict, here, why]) => {
      expect(VERDICTS).toContain(verdict?.text);
      expect(why?.text === '', 'a reason is given unless it is the same').toBe(verdict?.text === 'same');
      const values = (await checks[key]?.(SAIGA, guide?.code ?? [])) ?? [];
      expect(values).not.toEqual([]);
      expect(here?.code).toEqual(values);
    },
  );
});

test('the page lists every port of the Docker host', () => {
  const listed = rowsOf('Ports of the Docker host').map((row) => row.map(({ text }) => text));
  expect(listed.sort()).toEqual(publishedPorts(SAIGA));
});

test('the page quotes every fact of the guide, and nothing else', ({ skip }) => {
  skip(!hasGuide() && !process.env.CI, `${GUIDE} is missing`);
  const { facts, excused } = readGuide();
  const sections = [...new Set(TABLES.map(([section]) => section))];
  expect([...facts.keys()]).toEqual(sections);
  for (const section of sections) {
    const quoted = TABLES.filter(([of]) => of === section).flatMap(([, heading]) =>
      rowsOf(heading).flatMap(([guide]) => guide?.code ?? []),
    );
    expect(quoted.sort(), section).toEqual([...(facts.get(section) ?? [])].sort());
  }
  expect([...NO_FACTS.keys()].filter((line) => !excused.has(line))).toEqual([]);
});
