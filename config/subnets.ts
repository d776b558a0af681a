/** A range of IPv4 addresses as its first and last one, unsigned 32-bit. */
export interface Range {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** Prefix of the subnet that each network gets: eight addresses, five of them for containers. */
export const SUBNET_PREFIX = 29;
const SUBNET_SIZE = 2 ** (32 - SUBNET_PREFIX);

/** Longest prefix of a pool: 32 networks. A stack with everything enabled has about half as many. */
const LONGEST_POOL_PREFIX = 24;

/** The ranges that RFC 1918 sets aside for private networks. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(parseRange);

/** `10.231.0.0/20` as a range. The text has to be a CIDR, as the schema checks; host bits are ignored. */
export function parseRange(cidr: string): Range {
  const [address = '', length = '32'] = cidr.split('/');
  const prefix = Number(length);
  const value = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1, prefix };
}

/** `10.231.0.0/20`, with the first address of the range. */
export function showRange({ first, prefix }: Range): string {
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join('.')}/${prefix}`;
}

export const overlaps = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;

export const contains = (outer: Range, inner: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;

export const isPrivate = (range: Range): boolean => PRIVATE.some((outer) => contains(outer, range));

/** What is wrong with a text as the range that networks get their subnets from. */
export function poolFault(text: string): { readonly message: string; readonly remedy: string } | undefined {
  const beside = 'Use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 that your network does not use.';
  if (!/^\d+(\.\d+){3}\/\d+$/.test(text)) return { message: `${text} is no range of addresses`, remedy: beside };
  const pool = parseRange(text);
  if (!isPrivate(pool)) {
    return { message: `${text} is not a private range, so it belongs to somebody else`, remedy: beside };
  }
  if (pool.prefix > LONGEST_POOL_PREFIX) {
    const remedy = `Use a /${LONGEST_POOL_PREFIX} or larger: a smaller number behind the slash.`;
    return { message: `${text} is too small for the networks of a stack`, remedy };
  }
  if (showRange(pool) !== text) {
    const message = `${text} does not start with the first address of its range`;
    return { message, remedy: `Write ${showRange(pool)}.` };
  }
  return undefined;
}

/** Whether a text is a subnet as this project writes it: a /29 named by its first address. */
export const isSubnet = (cidr: string): boolean =>
  cidr.endsWith(`/${SUBNET_PREFIX}`) && showRange(parseRange(cidr)) === cidr;

/** How many subnets a pool has. */
export const capacity = (pool: Range): number => Math.floor((pool.last - pool.first + 1) / SUBNET_SIZE);

/** One of a pool's subnets, counted from 0. */
export function nthSubnet(pool: Range, index: number): Range {
  const first = pool.first + index * SUBNET_SIZE;
  return { first, last: first + SUBNET_SIZE - 1, prefix: SUBNET_PREFIX };
}

/** The pool's subnets that overlap none of `taken`, lowest first. */
export function* freeSubnets(pool: Range, taken: readonly Range[]): Generator<Range> {
  const used = [...taken].sort((a, b) => a.first - b.first);
  let next = 0;
  for (let index = 0; index < capacity(pool); index++) {
    const subnet = nthSubnet(pool, index);
    while (used[next] !== undefined && (used[next] as Range).last < subnet.first) next++;
    const blocking = used[next];
    if (blocking === undefined || blocking.first > subnet.last) yield subnet;
  }
}
