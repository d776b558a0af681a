import type { Finding, Rule } from '../rules.js';
import type { PublishSettings } from '../schema.js';
import type { PortClaim, ServiceClaims } from '../services.js';
import { poolFault } from '../subnets.js';

/** The address that needs no acknowledgement: only processes of the host itself reach it. */
export const LOOPBACK = '127.0.0.1';

const publishedBeyondLoopback: Rule = ({ services }) =>
  portClaims(services).flatMap(({ path, publish }) => {
    if (publish.address === LOOPBACK || publish.acknowledge !== undefined) return [];
    return {
      path: [...path, 'address'],
      message: `${publish.address} lets other machines reach port ${publish.port}`,
      remedy: `Use ${LOOPBACK}, or say why in \`${path.at(-1)}.acknowledge\`.`,
      restsOn: [[...path, 'acknowledge']],
    };
  });

/** The ports that services publish. */
export function portClaims(services: readonly ServiceClaims[]): readonly PortClaim[] {
  return services.flatMap(({ published }) => published);
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
        path: [...claim.path, 'port'],
        message: `${claim.publish.address}:${claim.publish.port} is published by ${first.path.slice(0, -1).join('.')} already`,
        remedy: 'Publish one of them on another port.',
        restsOn: [
          [...first.path, 'port'],
          [...first.path, 'address'],
          [...claim.path, 'address'],
        ],
      },
    ];
  });
};

const networkPool: Rule = ({ settings }) => {
  const fault = poolFault(settings.host.networkPool);
  return fault ? [{ path: ['host', 'networkPool'], ...fault }] : [];
};

export const NETWORK_RULES: readonly Rule[] = [networkPool, publishedBeyondLoopback, portPublishedTwice];
