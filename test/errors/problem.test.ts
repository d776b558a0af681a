import { describe, expect, test } from 'vitest';
import { collect } from '../../src/errors/collect.js';
import { formatProblem, formatProblems, type Problem, RagdockError, throwProblems } from '../../src/errors/problem.js';

const PROBLEM: Problem = {
  code: 'CONFIG_SCHEMA',
  file: 'dev.yaml',
  line: 3,
  column: 5,
  path: 'services.api',
  message: 'expected a mapping, got 7',
  remedy: 'Write one.',
};

describe('a problem as text', () => {
  test('names code, place, path, fault and remedy', () => {
    expect(formatProblem(PROBLEM)).toBe(
      'CONFIG_SCHEMA  dev.yaml:3:5  services.api\n    expected a mapping, got 7\n    → Write one.',
    );
  });

  test('leaves out what it does not have, and falls back on the catalogue for the remedy', () => {
    expect(formatProblem({ code: 'USAGE', message: 'a command is missing' })).toBe(
      'USAGE\n    a command is missing\n    → `ragdock --help` shows the commands and their options.',
    );
  });

  test('is counted', () => {
    expect(formatProblems([PROBLEM])).toMatch(/\n1 problem\n$/);
    expect(formatProblems([PROBLEM, PROBLEM])).toMatch(/\n2 problems\n$/);
  });
});

describe('RagdockError', () => {
  test('carries every problem, and the first one decides about the exit code', () => {
    const error = new RagdockError([{ code: 'ENGINE_UNREACHABLE', message: 'x' }, PROBLEM]);
    expect([error.code, error.exitCode, error.problems.length]).toEqual(['ENGINE_UNREACHABLE', 3, 2]);
    expect(error.message).toContain('expected a mapping, got 7');
  });

  test('throwProblems throws all of them, and nothing for none', () => {
    expect(() => throwProblems([])).not.toThrow();
    expect(() => throwProblems([PROBLEM, PROBLEM])).toThrow(expect.objectContaining({ problems: [PROBLEM, PROBLEM] }));
  });

  test('collect gives the value or the problems, and lets faults of our own pass', () => {
    expect(collect(() => 7)).toEqual({ value: 7 });
    expect(collect(() => throwProblems([PROBLEM]))).toEqual({ problems: [PROBLEM] });
    expect(() =>
      collect(() => {
        throw new TypeError('ours');
      }),
    ).toThrow('ours');
  });
});
