import { expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { brief, problemsOf } from './problems.js';
import { MINIMAL, project } from './project.js';

const COLLECTIONS = 'collections: {BD_curs_data: {}, old: {layout: langchain}}';
const EMBEDDINGS = 'services:\n  embeddings: {enabled: true}\n';

/** The least environment whose API has these lines more. */
const withApi = (...lines: readonly string[]): string =>
  MINIMAL.replace('services:\n', EMBEDDINGS).replace(/( +)courses:/, (courses, indent: string) =>
    [...lines.map((line) => `${indent}${line}\n`), courses].join(''),
  );
const told = (...lines: readonly string[]) =>
  problemsOf(withApi(...lines)).map((problem) => `${brief(problem).split(' ').at(-1)}: ${problem.message}`);

test('nothing is learned unless it is wanted', () => {
  const { services } = loadEnvironment('dev', { cwd: project({ 'dev.yaml': MINIMAL }) }).settings;
  expect(services.api.history).toEqual({});
});

test('what is learned goes to a collection that questions search', () => {
  expect(told('history: {fromFeedback: BD_curs_data}', COLLECTIONS)).toEqual([]);
  expect(told('history: {fromFeedback: BD_chat}', COLLECTIONS)).toEqual([
    "services.api.history.fromFeedback: 'BD_chat' is none of the collections that questions search",
  ]);
  expect(told('history: {fromFeedback: old}', COLLECTIONS)).toEqual([
    "services.api.history.fromFeedback: LangChain's collection 'old' is only read",
  ]);
});

test('limits out of range are told all at once', () => {
  expect(
    told('history: {waitingExchanges: 0, waitingMiB: 5000}', 'limits: {recordsPerMinute: 0, commentCharacters: 0}').map(
      (line) => line.split(':')[0],
    ),
  ).toEqual([
    'services.api.history.waitingExchanges',
    'services.api.history.waitingMiB',
    'services.api.limits.recordsPerMinute',
    'services.api.limits.commentCharacters',
  ]);
});
