import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './client-address.js';
import { Tally } from './tally.js';

export interface ConnectionLimits {
  /** Connections open at once, beside those of exempt addresses. */
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
  const open = new Tally();
  // Not the server's own limit: that one would count, and close, what is exempt as well.
  let all = 0;
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    // Gone already, before anybody could ask for its address.
    if (remoteAddress === undefined || isExempt?.(remoteAddress)) return;
    const client = networkOf(remoteAddress);
    if (all >= connections || open.of(client) >= perAddress) {
      socket.destroy();
      return;
    }
    all += 1;
    open.add(client);
    socket.once('close', () => {
      all -= 1;
      open.remove(client);
    });
  });
}
