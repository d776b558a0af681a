import type { EngineView } from './engine.js';
import { inVolume } from './in-volume.js';

/**
 * Put another value into a service's volume of secrets; the function that comes back restores the true one. A service
 * that has read the true one already has to be started anew to take the other.
 *
 * @param service whose volume it is. @default rag-api
 */
export async function overwriteSecret(
  engine: EngineView,
  file: string,
  value: string,
  service = 'rag-api',
): Promise<() => Promise<void>> {
  const volume = `${engine.nameOf(service)}-secrets`;
  await inVolume(engine, volume, `cp -p /volume/${file} /volume/.kept; printf %s "$VALUE" > /volume/${file}`, [
    `VALUE=${value}`,
  ]);
  return async () => {
    await inVolume(engine, volume, `mv /volume/.kept /volume/${file}`);
  };
}
