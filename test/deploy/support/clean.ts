import type { EngineView } from './engine.js';
import { until } from './poll.js';

/** Remove every container, network and volume of an environment, its data too. */
export async function removeEnvironment({ docker, environment, containers, volumes }: EngineView): Promise<void> {
  for (const name of await containers()) {
    await docker
      .getContainer(name)
      .remove({ force: true, v: true })
      .catch((error: { readonly statusCode?: number }) => {
        // A session removes itself, and may be about to.
        if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
      });
  }
  await until('its containers are gone', async () => (await containers()).length === 0, 60);
  for (const { Id, Name } of await docker.listNetworks()) {
    if (Name.startsWith(`${environment}-`)) await docker.getNetwork(Id).remove();
  }
  for (const name of await volumes()) await docker.getVolume(name).remove();
}
