import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { StatusReport } from '../../../../src/status/report.js';
import type { Deployment } from '../deployment.js';
import { copyProject } from '../project.js';

/** What `ragdock status` and `ragdock logs` tell of a deployed stack. */
export function statusAndLogs({ name, project, engine }: Deployment): void {
  describe(`of ${name}`, () => {
    async function status(): Promise<{ readonly code: number | null; readonly report: StatusReport }> {
      const { code, stdout } = await project.tryRagdock('status', name, '--json');
      return { code, report: JSON.parse(stdout) as StatusReport };
    }

    afterEach(async () => {
      await engine.allHealthy();
    });

    test('status finds a stack that was just deployed well, and as its files say', async () => {
      const { code, report } = await status();

      expect(report.services.filter(({ ok, drift }) => !ok || drift.length > 0)).toEqual([]);
      expect(report.jobs.filter(({ ok, drift }) => !ok || drift.length > 0)).toEqual([]);
      expect(report).toMatchObject({ ok: true, drifted: false, appsCompared: true, leftOver: [] });
      expect(code).toBe(0);
    });

    test('status names the service that is stopped', async () => {
      await engine.containerOf('qdrant').stop();
      try {
        const { code, report } = await status();
        expect(report.services.find(({ name }) => name === 'qdrant')).toMatchObject({ ok: false, state: 'exited' });
        expect(code).toBe(1);
      } finally {
        await engine.containerOf('qdrant').start();
      }
    });

    test('the outputs tell what is deployed, in the versions that status finds', async () => {
      const outputs = JSON.parse((await project.terraform('output', '-json')).stdout);
      const { report } = await status();

      expect(outputs.environment.value).toBe(name);
      expect(outputs.versions.value).toEqual(
        Object.fromEntries(report.services.map(({ name, image }) => [name, image?.reference])),
      );
      expect(outputs.versions.value['rag-api']).toBe(`ragdock-apps:${outputs.apps_bundle.value}`);
    });

    test('logs mask a key that a service wrote, on this machine and on one that does not know it', async () => {
      const key = readFileSync(join(project.secretsFolder, 'qdrant-api-key.v1'), 'utf8').trim();
      // Qdrant writes the address of every request.
      const ask = `fetch('http://${engine.nameOf('qdrant')}:6333/collections?marker=before-${key}-behind').then((it) => it.text())`;
      await engine.execIn('rag-api', ['node', '-e', ask]);
      const stranger = mkdtempSync(join(tmpdir(), 'ragdock-stranger-'));
      onTestFinished(() => rmSync(stranger, { recursive: true }));
      copyProject(stranger);
      cpSync(join(project.folder, 'config'), join(stranger, 'config'), { recursive: true });

      for (const cwd of [project.folder, stranger]) {
        const { code, stdout, stderr } = await project.run(
          'npx',
          ['ragdock', 'logs', name, 'qdrant', '--since', '5m'],
          { cwd },
        );
        expect([code, stderr]).toEqual([0, '']);
        expect(stdout).toContain('before-***-behind');
        expect(stdout).not.toContain(key);
      }
      const sessions = await engine.docker.listContainers({ all: true, filters: { label: ['ragdock.session'] } });
      expect(sessions).toEqual([]);
    });
  });
}
