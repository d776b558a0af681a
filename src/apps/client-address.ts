import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

/** An IP address in one notation: an IPv4 address that arrived over IPv6 is the IPv4 address. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** What is counted as one client: an IPv4 address, or the /64 network of an IPv6 address, all of which one machine has. */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = (plain.split('%', 1)[0] ?? '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Reverse proxies that are believed when they say whom they ask for. */
export class TrustedProxies {
  readonly #ranges = new BlockList();

  /** @param ranges IPv4 ranges in CIDR notation */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', prefix = '32'] = range.split('/');
      this.#ranges.addSubnet(address, Number(prefix));
    }
  }

  has(address: string | undefined): boolean {
    const plain = plainAddress(address);
    return isIPv4(plain) && this.#ranges.check(plain);
  }

  /**
   * Who asks: the peer, or what a trusted peer says in X-Forwarded-For. That header is read from its end, where the
   * nearest proxy writes; what stands before the first address that is no proxy of ours may be anybody's invention.
   */
  clientOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
    let client = plainAddress(socket.remoteAddress);
    while (this.has(client)) {
      const next = plainAddress(forwarded.pop()?.trim());
      if (isIP(next) === 0) break;
      client = next;
    }
    return client;
  }
}
