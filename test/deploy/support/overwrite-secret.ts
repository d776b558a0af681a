import type { EngineView } from './engine.js';

/**
 * Put another value into the RAG API's volume of secrets; the function that comes back restores the true one. The API
 * has read the true one already, and has to be started anew to take the other.
 */
export async function overwriteSecret(engine: EngineView, file: string, value: string): Promise<() => Promise<void>> {
  const image = (await engine.containerOf('rag-api').inspect()).Image;
  const volume = `${engine.nameOf('rag-api')}-secrets`;
  const inVolume = async (script: string, variables: readonly string[] = []): Promise<void> => {
    const container = await engine.docker.createContainer({
      Image: image,
      User: '0:0',
      Env: [...variables],
      Entrypoint: ['sh', '-euc', script],
      HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'volume', Source: volume, Target: '/secrets' }] },
    });
    try {
      await container.start();
      const { StatusCode } = await container.wait();
      if (StatusCode !== 0) throw new Error(`${script} ended with ${StatusCode}`);
    } finally {
      await container.remove({ force: true });
    }
  };
  await inVolume(`cp -p /secrets/${file} /secrets/.kept; printf %s "$VALUE" > /secrets/${file}`, [`VALUE=${value}`]);
  return () => inVolume(`mv /secrets/.kept /secrets/${file}`);
}
