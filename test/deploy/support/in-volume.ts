import type { EngineView } from './engine.js';

/**
 * Run a piece of sh as root, with a volume at /volume, and give back what it printed.
 *
 * @param variables `NAME=value`
 * @param also further volumes, by the path that they get
 */
export async function inVolume(
  engine: EngineView,
  volume: string,
  script: string,
  variables: readonly string[] = [],
  also: Readonly<Record<string, string>> = {},
): Promise<string> {
  const image = (await engine.containerOf('rag-api').inspect()).Image;
  const mounts = Object.entries({ '/volume': volume, ...also });
  const container = await engine.docker.createContainer({
    Image: image,
    User: '0:0',
    Env: [...variables],
    Tty: true,
    Entrypoint: ['sh', '-euc', script],
    HostConfig: {
      NetworkMode: 'none',
      Mounts: mounts.map(([Target, Source]) => ({ Type: 'volume', Source, Target })),
    },
  });
  try {
    await container.start();
    const { StatusCode } = await container.wait();
    const output = (await container.logs({ stdout: true, stderr: true, follow: false })).toString();
    if (StatusCode !== 0) throw new Error(`${script} ended with ${StatusCode}: ${output}`);
    return output.trim();
  } finally {
    await container.remove({ force: true });
  }
}
