import type { Path } from '../located.js';
import type { Finding, Rule } from '../rules.js';
import type { ServiceClaims } from '../services.js';
import { poolFault } from '../subnets.js';

/** The address that needs no acknowledgement: only processes of the host itself reach it. */
export const LOOPBACK = '127.0.0.1';

const publishedBeyondLoopback: Rule = ({ services }) =>
  services
    .flatMap(({ published }) => published)
    .flatMap(({ path, publish }) => {
      if (publish.address === LOOPBACK || publish.acknowledge !== undefined) return [];
      return {
        path: [...path, 'address'],
        message: `${publish.address} lets other machines reach port ${publish.port}`,
        remedy: `Use ${LOOPBACK}, or say why in \`${path.at(-1)}.acknowledge\`.`,
        restsOn: [[...path, 'acknowledge']],
      };
    });

/** A port of the host that is taken, and the setting that takes it. */
export interface PortClaim {
  readonly port: number;
  /** Undefined for the gateway of a network, which is no other environment's and never one that was asked for. */
  readonly address: string | undefined;
  readonly path: Path;
}

/** The ports of the host that services publish, or on which they listen by themselves. */
export function portClaims(services: readonly ServiceClaims[]): readonly PortClaim[] {
  return services.flatMap(({ path, published, gatewayPort }) => [
    ...(gatewayPort === undefined
      ? []
      : [{ port: gatewayPort, address: undefined, path: [...path, 'enabled'] } satisfies PortClaim]),
    ...published.map(
      ({ publish, path: at }): PortClaim => ({ port: publish.port, address: publish.address, path: [...at, 'port'] }),
    ),
  ]);
}

/** Whether two claims cannot both be met: 0.0.0.0 takes the port of every address. */
export function portsClash(a: PortClaim, b: PortClaim): boolean {
  const same = a.address === b.address && a.address !== undefined;
  return a.port === b.port && (same || a.address === '0.0.0.0' || b.address === '0.0.0.0');
}

/** How a claim is shown: `127.0.0.1:8080`. */
export const showPort = ({ port, address }: PortClaim): string =>
  address === undefined ? `port ${port} of a gateway` : `${address}:${port}`;

const portPublishedTwice: Rule = ({ services }) => {
  const claims = portClaims(services);
  return claims.flatMap((claim, index): Finding[] => {
    const first = claims.slice(0, index).find((earlier) => portsClash(earlier, claim));
    if (!first) return [];
    // The gateway's port is nobody's choice: the other one has to move, or the service to go.
    const [told, owner] = claim.address === undefined ? [first, claim] : [claim, first];
    return [
      {
        code: 'NAME_CLASH',
        path: told.path,
        message:
          owner.address === undefined
            ? `${serviceOf(owner)} listens on port ${owner.port} of a gateway, which ${showPort(told)} takes as well`
            : `${showPort(told)} is published by ${serviceOf(owner)} already`,
        remedy:
          owner.address === undefined
            ? 'Publish it on another port, or on one address.'
            : 'Publish one of them on another port.',
        restsOn: [owner.path, ...addressOf(owner), ...addressOf(told)],
      },
    ];
  });
};

const serviceOf = ({ path }: PortClaim): string => path.slice(0, path.at(-1) === 'enabled' ? -1 : -2).join('.');

const addressOf = ({ path, address }: PortClaim): Path[] =>
  address === undefined ? [] : [[...path.slice(0, -1), 'address']];

const networkPool: Rule = ({ settings }) => {
  const fault = poolFault(settings.host.networkPool);
  return fault ? [{ path: ['host', 'networkPool'], ...fault }] : [];
};

export const NETWORK_RULES: readonly Rule[] = [networkPool, publishedBeyondLoopback, portPublishedTwice];
