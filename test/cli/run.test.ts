import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { processIo } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';
import { changed, MINIMAL, project } from '../config/project.js';
import { ragdock } from './terminal.js';

const VERSION = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

describe('the command line', () => {
  test('tells its version and its commands', async () => {
    expect(await ragdock(['--version'], { cwd: '/' })).toEqual({ exit: 0, stdout: `${VERSION}\n`, stderr: '' });
    const help = await ragdock(['--help'], { cwd: '/' });
    expect(help).toMatchObject({ exit: 0, stderr: '' });
    for (const command of ['validate', 'lock', 'secrets'])
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect((await ragdock(['lock', '--help'], { cwd: '/' })).stdout).toMatch(/--accept <name\.\.\.>/);
  });

  test.each<[string, string[], RegExp, RegExp]>([
    ['no command', [], /a command is missing/, /--help/],
    ['a group without its command', ['secrets'], /a command is missing/, /--help/],
    ['an unknown command', ['validat'], /unknown command 'validat'/, /Did you mean validate\?/],
    ['an unknown option', ['validate', '--jsn'], /unknown option '--jsn'/, /Did you mean --json\?/],
    ['a missing argument', ['lock'], /missing required argument 'env'/, /--help/],
    ['too many arguments', ['lock', 'a', 'b'], /too many arguments/, /--help/],
    ['an option without its value', ['lock', 'dev', '--accept'], /argument missing/, /--help/],
  ])('%s is a problem with code USAGE and exit code 2', async (_name, args, message, remedy) => {
    const { exit, stdout, stderr } = await ragdock(args, { cwd: project({ 'dev.yaml': MINIMAL }) });
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/(^|\n)USAGE\n/);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(remedy);
  });

  test('colours codes for people, and for them alone', async () => {
    const cwd = project({ 'dev.yaml': changed(['[demo]', '[]']) });
    expect((await ragdock(['validate'], { cwd })).stderr).not.toContain('\u001b');
    expect((await ragdock(['validate'], { cwd, colour: true })).stderr).toContain(
      '\u001b[31mCONFIG_SCHEMA\u001b[39m  config/',
    );
  });

  test('NO_COLOR and pipes are respected', () => {
    const { stdout } = processIo(new AbortController().signal);
    expect(stdout.colour).toBe(process.stdout.isTTY === true && !process.env.NO_COLOR);
  });
});

describe('a fault of ragdock itself', () => {
  const broken = (env: Record<string, string>) => {
    let stderr = '';
    const write = (text: string): void => {
      stderr += text;
    };
    const output = { write, isTTY: false, colour: false };
    const io = {
      ...processIo(new AbortController().signal),
      stdout: output,
      stderr: output,
      env,
      get cwd(): string {
        throw new TypeError('first line\nsecond line');
      },
    };
    return run(['validate'], io).then((exit) => ({ exit, stderr }));
  };

  test('is one line with a code, without a stack', async () => {
    expect(await broken({})).toEqual({
      exit: 1,
      stderr:
        'INTERNAL\n    TypeError: first line\n    → Run again with RAGDOCK_DEBUG=1 and report the stack trace that it prints.\n1 problem\n',
    });
  });

  test('shows its stack to whoever asks for it', async () => {
    expect((await broken({ RAGDOCK_DEBUG: '1' })).stderr).toMatch(/\n {4}at .*run\.test\.ts/);
  });
});
