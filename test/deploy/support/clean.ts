import { docker } from './engine.js';

/** Remove every container, network and volume of an environment, its data too. */
export async function removeEnvironment(environment: string): Promise<void> {
  const prefix = `${environment}-`;
  const containers = await docker.listContainers({ all: true });
  for (const { Id, Names } of containers) {
    if (Names.some((name) => name.startsWith(`/${prefix}`)))
      await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const { Id, Name } of await docker.listNetworks()) {
    if (Name.startsWith(prefix)) await docker.getNetwork(Id).remove();
  }
  const { Volumes } = await docker.listVolumes();
  for (const { Name } of Volumes) {
    if (Name.startsWith(prefix)) await docker.getVolume(Name).remove();
  }
}
