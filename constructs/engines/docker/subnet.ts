/** The first usable address of a subnet in CIDR notation, which the engine gives to the host: `10.0.0.8/29` → `10.0.0.9`. */
export function gatewayOf(cidr: string): string {
  const [base = ''] = cidr.split('/');
  const octets = base.split('.').map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + 1].join('.');
}
