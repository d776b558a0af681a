import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Deployment } from '../../deploy/support/deployment.js';
import { until } from '../../deploy/support/poll.js';

/**
 * A deploy that is stopped when one of its jobs has run, as a pipeline or Ctrl-C stops it: Terraform ends what it is at,
 * begins nothing more, and the command fails.
 */
export async function deployCutAfter({ project, engine }: Deployment, job: string): Promise<void> {
  const container = engine.docker.getContainer(engine.nameOf(job));
  const { Id: before } = await container.inspect();
  const folder = join(project.folder, 'cdktf.out/stacks', project.environment);
  const deploy = project.tryDeploy();
  let ended = false;
  void deploy.then(() => {
    ended = true;
  });
  await until(
    `${job} has run`,
    async () => {
      if (ended) throw new Error('the deploy was through before it could be stopped');
      const { Id, State } = await container.inspect();
      return Id !== before && State.Status === 'exited' && State.ExitCode === 0;
    },
    240,
  );
  const [terraform] = processesIn('terraform', folder);
  expect(terraform, 'Terraform runs').toBeDefined();
  process.kill(terraform ?? 0, 'SIGINT');
  const { code, stdout, stderr } = await deploy;
  expect(code, stdout + stderr).not.toBe(0);
}

/** Processes of a program that work in a folder. */
function processesIn(program: string, folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program && readlinkSync(`/proc/${pid}/cwd`) === folder
        );
      } catch {
        return false; // ended in the meantime
      }
    })
    .map(Number);
}
