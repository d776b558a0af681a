import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { giveOwnership } from '../../../src/apps/jobs/ownership.js';
import { temporaryFolder } from '../../support/folder.js';
import { run } from '../../support/run.js';

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const isRoot = uid === 0;

function tree(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data/inner'), { recursive: true });
  writeFileSync(join(folder, 'data/inner/file'), 'x');
  symlinkSync('/etc/passwd', join(folder, 'data/link'));
  return join(folder, 'data');
}

async function give(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  await giveOwnership(args, (line) => lines.push(line));
  return lines;
}

const ownerOf = (path: string) => `${lstatSync(path).uid}:${lstatSync(path).gid}`;

/** Runs the job in a process of its own, as a container runs it: root with CAP_CHOWN and nothing else. */
function giveConfined(...args: string[]) {
  const job = pathToFileURL('src/apps/jobs/ownership.ts').href;
  const code = `const { giveOwnership } = await import('${job}'); await giveOwnership(process.argv.slice(1), console.log);`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', code, ...args];
  return run(['setpriv', '--inh-caps=-all', '--bounding-set=-all,+chown', '--no-new-privs', ...node], {
    timeoutSeconds: 30,
  });
}

describe('giveOwnership', () => {
  test('changes nothing that is right already', async () => {
    const data = tree();
    expect(await give(`${uid}:${gid}`, data)).toEqual([`${data}: 0 given to ${uid}:${gid}, 4 were already`]);
  });

  test.each([[[]], [['1000']], [['1000:1000']], [['a:b', '/x']], [['-1:0', '/x']]])(
    'refuses the arguments %j',
    async (args) => {
      await expect(give(...args)).rejects.toThrow('expected UID:GID PATH…');
    },
  );

  test('names a path that is not there', async () => {
    await expect(give(`${uid}:${gid}`, '/no/such/path')).rejects.toThrow('/no/such/path could not be given to');
  });

  // Only root may give files away; the deploy suite runs this job in its container on every machine.
  describe.runIf(isRoot)('as root', () => {
    test('gives away everything below, links themselves and not what they point to', async () => {
      const data = tree();
      const before = ownerOf('/etc/passwd');
      expect(await give('1234:2345', data)).toEqual([`${data}: 4 given to 1234:2345, 0 were already`]);
      for (const path of ['', 'inner', 'inner/file', 'link']) expect(ownerOf(join(data, path))).toBe('1234:2345');
      expect(ownerOf('/etc/passwd')).toBe(before);
    });

    test('with CAP_CHOWN alone: folders of others that are closed to root are given away, too', async () => {
      const data = tree();
      chmodSync(join(data, 'inner'), 0o700);
      for (const path of ['inner/file', 'inner', '']) chownSync(join(data, path), 4321, 4321);
      chmodSync(data, 0o700);
      const { code, stdout, stderr } = await giveConfined('1234:2345', data);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toContain('4 given to 1234:2345');
      for (const path of ['', 'inner', 'inner/file', 'link']) expect(ownerOf(join(data, path))).toBe('1234:2345');
    });

    test('with CAP_CHOWN alone: a closed folder of the wanted owner is left in peace, and named', async () => {
      const data = tree();
      chmodSync(join(data, 'inner'), 0o700);
      chownSync(join(data, 'inner/file'), 1234, 2345);
      chownSync(join(data, 'inner'), 1234, 2345);
      const { code, stdout } = await giveConfined('1234:2345', data);
      expect(code).toBe(0);
      expect(stdout).toContain(`${join(data, 'inner')}: belongs to 1234 and is closed to others; not looked into`);
      expect(ownerOf(join(data, 'inner'))).toBe('1234:2345');
      expect(lstatSync(join(data, 'inner')).mode & 0o777).toBe(0o700);
    });
  });
});
