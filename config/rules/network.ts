import type { Path } from '../located.js';
import type { Finding, Rule } from '../rules.js';
import type { PublishSettings } from '../schema.js';
import type { ServiceClaims } from '../services.js';
import { poolFault } from '../subnets.js';

/** The address that needs no acknowledgement: only processes of the host itself reach it. */
const LOOPBACK = '127.0.0.1';

const publishedBeyondLoopback: Rule = ({ services }) =>
  services.flatMap(({ path, publish }) => {
    if (!publish || publish.address === LOOPBACK || publish.acknowledge !== undefined) return [];
    return {
      path: [...path, 'publish', 'address'],
      message: `${publish.address} lets other machines reach port ${publish.port}`,
      remedy: `Use ${LOOPBACK}, or say why in \`publish.acknowledge\`.`,
      restsOn: [[...path, 'publish', 'acknowledge']],
    };
  });

/** A published port and the setting that gives it. */
export interface PortClaim {
  readonly publish: PublishSettings;
  readonly path: Path;
}

/** The ports that services publish. */
export function portClaims(services: readonly ServiceClaims[]): readonly PortClaim[] {
  return services.flatMap(({ path, publish }) => (publish ? [{ publish, path: [...path, 'publish', 'port'] }] : []));
}

/** Whether two published ports cannot both be bound: 0.0.0.0 takes the port of every address. */
export function portsClash(a: PublishSettings, b: PublishSettings): boolean {
  return a.port === b.port && (a.address === b.address || a.address === '0.0.0.0' || b.address === '0.0.0.0');
}

const portPublishedTwice: Rule = ({ services }) => {
  const claims = portClaims(services);
  return claims.flatMap((claim, index): Finding[] => {
    const first = claims.slice(0, index).find((earlier) => portsClash(earlier.publish, claim.publish));
    if (!first) return [];
    return [
      {
        code: 'NAME_CLASH',
        path: claim.path,
        message: `${claim.publish.address}:${claim.publish.port} is published by ${first.path.slice(0, -2).join('.')} already`,
        remedy: 'Publish one of them on another port.',
        restsOn: [first.path, address(first.path), address(claim.path)],
      },
    ];
  });
};

const address = (port: Path): Path => [...port.slice(0, -1), 'address'];

const networkPool: Rule = ({ settings }) => {
  const fault = poolFault(settings.host.networkPool);
  return fault ? [{ path: ['host', 'networkPool'], ...fault }] : [];
};

export const NETWORK_RULES: readonly Rule[] = [networkPool, publishedBeyondLoopback, portPublishedTwice];
