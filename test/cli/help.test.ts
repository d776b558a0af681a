import { describe, expect, test } from 'vitest';
import { commandsBelow, describedProgram, fullName } from '../../src/cli/reference.js';
import { faultsOf } from '../docs/support/commands.js';
import { ragdock } from './terminal.js';

const COMMANDS = commandsBelow(describedProgram());

test('the help groups the commands, gives each one line, and tells exit codes and NO_COLOR', async () => {
  const { stdout } = await ragdock(['--help'], { cwd: '/' });
  const headings = stdout.split('\n').filter((line) => /^\S.*:$/.test(line));
  expect(headings).toEqual([
    'Options:',
    'Try it:',
    'Describe a stack:',
    'Use a running stack:',
    'Measure the search:',
    'This program:',
    'Exit codes:',
    'Variables:',
  ]);
  for (const { name } of describedProgram().commands.map((command) => ({ name: command.name() }))) {
    if (name !== 'complete') expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b.* {2}\\S`, 'm'));
  }
  // A line that goes on begins with as many spaces as the terms are wide.
  expect(stdout).not.toMatch(/^ {15,}/m);
  expect(stdout).toMatch(/^ {2}130 +interrupted by Ctrl-C; 143 by SIGTERM$/m);
  expect(stdout).toMatch(/^ {2}NO_COLOR=1 /m);
});

describe.each(COMMANDS.map((command) => [fullName(command), command] as const))('%s', (name, command) => {
  test('says what it does', () => {
    expect(command.description()).toMatch(/^[a-z].{10,}[^.]$/);
    for (const value of [...command.registeredArguments, ...command.options]) {
      expect(value.description, `${name} ${value.name()}`).not.toBe('');
    }
  });

  test('shows an example that could be run', async () => {
    const { stdout } = await ragdock([...name.split(' ').slice(1), '--help'], { cwd: '/' });
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { line, does } of command.examples) {
      expect(stdout).toContain(`  # ${does}\n  ${line}`);
      const words = (/\bragdock ([^|)]*)/.exec(line)?.[1] ?? '').match(/"[^"]*"|\S+/g) ?? [];
      expect(words.slice(0, name.split(' ').length - 1)).toEqual(name.split(' ').slice(1));
      expect(faultsOf(words, true)).toEqual([]);
    }
  });
});

test.each(['secrets', 'model'])('the group %s has an example too', async (group) => {
  expect((await ragdock([group, '--help'], { cwd: '/' })).stdout).toMatch(/\nExample:\n {2}# .*\n {2}ragdock /);
});
