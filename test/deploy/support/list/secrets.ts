import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Deployment } from '../deployment.js';

/** No value of a secret is anywhere but in its file. The engine has to be of this machine. */
export function secretsStayInTheirFiles({ name: environment, project, engine }: Deployment): void {
  let secrets: { readonly name: string; readonly value: string }[] = [];

  /** Names of the secrets whose values a text holds, as they are or in base64. */
  const leaksIn = (text: string): string[] =>
    secrets
      .filter(
        ({ value }) => text.includes(value) || text.includes(Buffer.from(value).toString('base64').replace(/=+$/, '')),
      )
      .map(({ name }) => name);

  describe(`no secret value of ${environment} is`, () => {
    beforeAll(() => {
      secrets = readdirSync(project.secretsFolder).map((name) => ({
        name,
        value: readFileSync(join(project.secretsFolder, name), 'utf8'),
      }));
    });

    test('(the search itself finds one where it is)', () => {
      expect(secrets.length).toBeGreaterThan(3);
      expect(leaksIn(`x${secrets[0]?.value}y`)).toEqual([secrets[0]?.name]);
    });

    test('in a file of cdktf.out, the state, the environment or its lock', () => {
      const files = ['cdktf.out', 'state', 'config']
        .flatMap((folder) => readdirSync(join(project.folder, folder), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).size < 20_000_000)
        .map((entry) => join(entry.parentPath, entry.name));
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) expect(leaksIn(readFileSync(file, 'latin1')), file).toEqual([]);
    });

    test('in a plan', async () => {
      await project.terraform(
        'plan',
        '-input=false',
        '-no-color',
        '-out=secrets.plan',
        '-replace=docker_container.rag-api',
      );
      expect(leaksIn((await project.terraform('show', '-json', 'secrets.plan')).stdout)).toEqual([]);
    });

    test('in what the engine tells of any container, or in any log', async () => {
      const containers = await engine.docker.listContainers({ all: true });
      expect(containers.length).toBeGreaterThan(10);
      for (const { Id, Names } of containers) {
        const name = Names[0] ?? Id;
        const inspected = await engine.docker.getContainer(Id).inspect();
        expect(leaksIn(JSON.stringify(inspected)), name).toEqual([]);
        // An operator session keeps no log.
        if (inspected.HostConfig.LogConfig?.Type !== 'none') expect(leaksIn(await engine.logsOf(Id)), name).toEqual([]);
      }
    });

    test('on a command line of the host', () => {
      const lines = readdirSync('/proc')
        .filter((entry) => /^\d+$/.test(entry))
        .map((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
          } catch {
            return ''; // ended in the meantime
          }
        });
      expect(lines.some((line) => line.includes('dockerd'))).toBe(true);
      expect(leaksIn(lines.join('\n'))).toEqual([]);
    });

    test('in what the commands print', async () => {
      for (const command of [
        ['secrets', 'list', environment],
        ['secrets', 'check', environment],
        ['validate', '--print'],
      ]) {
        const { stdout, stderr } = await project.ragdock(...command);
        expect(leaksIn(stdout + stderr), command.join(' ')).toEqual([]);
      }
    });
  });
}
