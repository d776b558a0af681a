import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './client-address.js';
import { Tally } from './tally.js';

export interface ConnectionLimits {
  /** Connections open at once. */
  readonly connections: number;
  /** Those of one client address. */
  readonly perAddress: number;
  /** Addresses that are many clients: reverse proxies. @default - none */
  readonly isExempt?: (address: string | undefined) => boolean;
}

/**
 * Closes connections beyond the limits as soon as they are opened: one client that keeps many of them, however slowly
 * it talks, leaves the others theirs.
 */
export function limitConnections(server: Server, { connections, perAddress, isExempt }: ConnectionLimits): void {
  server.maxConnections = connections;
  const open = new Tally();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    // Gone already, before anybody could ask for its address.
    if (remoteAddress === undefined || isExempt?.(remoteAddress)) return;
    const client = networkOf(remoteAddress);
    if (open.of(client) >= perAddress) {
      socket.destroy();
      return;
    }
    open.add(client);
    socket.once('close', () => open.remove(client));
  });
}
