import type { EngineView } from './engine.js';

/** Remove every container, network and volume of an environment, its data too. */
export async function removeEnvironment({ docker, environment, containers, volumes }: EngineView): Promise<void> {
  for (const name of await containers()) await docker.getContainer(name).remove({ force: true, v: true });
  for (const { Id, Name } of await docker.listNetworks()) {
    if (Name.startsWith(`${environment}-`)) await docker.getNetwork(Id).remove();
  }
  for (const name of await volumes()) await docker.getVolume(name).remove();
}
