import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/environments.js';

/** The specification that the page is about. Developers share it; it is no part of the project, and may be missing. */
export const GUIDE = join(ROOT, '../shared/services-guide.md');

export const hasGuide = (): boolean => existsSync(GUIDE);

/** Lines that state no fact about the services, whatever stands in them, and why. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'empty'],
  [/^```/, 'fence of a code block'],
  [/^#/, 'heading, or comment of a code block: names what comes next'],
  [/^[[\](){},"]+$/, 'brackets alone'],
  [/^(- )?[a-z_]+:( >)?$/, 'key whose value stands in the next lines, or `try:` and `finally:`'],
  [/^(from|import) /, 'import: what is imported is used in a later line'],
];

/** Single lines that state no fact. Each has to be in the guide, so that none outlives its line. */
export const NO_FACTS: ReadonlyMap<string, string> = new Map([
  ['*Version 1.3 от 12.12.2024*', 'says of the guide, not of the services; the page begins with it'],
  ['[Saiga LLM Service](#saiga-llm-service)', 'table of contents'],
  ['[Qdrant Vector Database](#qdrant-vector-database)', 'table of contents'],
  ['[PostgreSQL Database](#postgresql-database)', 'table of contents'],
  ['[Project API Service](#project-api-service)', 'table of contents'],
  ['[WebBot2 Interface](#webbot2-interface)', 'table of contents'],
  ['[Monitoring Services](#monitoring-services)', 'table of contents'],
  ['"data": [{', 'opens the list of the example'],
  ['SOCKET_EVENTS = {', 'opens the table of events'],
  ['API_CONFIG = {', 'opens the table of the API'],
  ['"endpoints": {', 'opens the table of addresses'],
  ['"headers": {', 'opens the table of headers'],
]);

export interface Guide {
  /** Lines that state a fact, without list marks, bold, indentation and a comma at the end, by section of the second level. */
  readonly facts: ReadonlyMap<string, readonly string[]>;
  /** Which of {@link NO_FACTS} occur. */
  readonly excused: ReadonlySet<string>;
}

export function readGuide(): Guide {
  const facts = new Map<string, string[]>();
  const excused = new Set<string>();
  let section = '';
  for (const raw of readFileSync(GUIDE, 'utf8').split(/\r?\n/)) {
    const line = raw.trim();
    section = /^## (.+)$/.exec(line)?.[1] ?? section;
    if (SHAPES.some(([shape]) => shape.test(line))) continue;
    const fact = bare(line);
    if (NO_FACTS.has(fact)) excused.add(fact);
    else facts.set(section, [...(facts.get(section) ?? []), fact]);
  }
  return { facts, excused };
}

function bare(line: string): string {
  return line
    .replace(/^(- |\d+\. |[├└]── )/, '')
    .replaceAll('**', '')
    .replace(/\s+/g, ' ')
    .replace(/,$/, '');
}
