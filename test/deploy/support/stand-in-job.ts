import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';

/**
 * A container with everything of a job that has ended but its program: it waits. What the engine makes of a job can be
 * looked at in it for longer than the job takes. @param run what is done while it runs
 */
export async function asLongAsItRuns<T>(
  docker: Docker,
  { Name, Image, Config, HostConfig, NetworkSettings }: ContainerInspectInfo,
  run: (standIn: ContainerInspectInfo) => Promise<T>,
): Promise<T> {
  const networks = Object.keys(NetworkSettings.Networks).filter((name) => name !== 'none');
  const [first = 'none', ...further] = networks;
  const container = await docker.createContainer({
    name: `${Name.slice(1)}-stand-in`,
    Image,
    User: Config.User,
    Entrypoint: ['sleep', '600'],
    Cmd: [],
    HostConfig: { ...HostConfig, NetworkMode: first },
  });
  try {
    for (const network of further) await docker.getNetwork(network).connect({ Container: container.id });
    await container.start();
    return await run(await container.inspect());
  } finally {
    await container.remove({ force: true });
  }
}
