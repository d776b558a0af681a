import type { NameClaim, ServiceClaims } from '../services.js';

/**
 * What stands behind a container's name in the names of the volumes that bring it its files: of its secrets, and of each
 * folder below `/etc` with the hash of what is in it.
 */
const CARRIED = /^(secrets|etc-[A-Za-z0-9-]+-[0-9a-f]{10})$/;

/** A volume that the engine makes for a container, with the setting that names the container. */
export interface EngineVolume extends NameClaim {
  readonly holds: 'secrets' | 'configuration';
}

/**
 * Whether a volume of this name is one that the engine makes for a container of these services, jobs included.
 *
 * @returns undefined when it is not
 */
export function engineVolume(name: string, services: readonly ServiceClaims[]): EngineVolume | undefined {
  const owner = services
    .flatMap(({ containers }) => containers)
    .find((container) => name.startsWith(`${container.name}-`) && CARRIED.test(name.slice(container.name.length + 1)));
  return owner && { name, path: owner.path, holds: name.endsWith('-secrets') ? 'secrets' : 'configuration' };
}
