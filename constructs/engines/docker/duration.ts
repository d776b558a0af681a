/**
 * A duration as Go's `Duration.String()` spells it: `10s`, `1m0s`, `1h0m0s`. The provider reads health checks back in
 * this spelling, and any other one shows as a difference in every plan.
 *
 * @param seconds zero or more; whole milliseconds
 */
export function goDuration(seconds: number): string {
  if (!(seconds >= 0) || !Number.isFinite(seconds)) throw new RangeError(`${seconds} is no duration in seconds`);
  const milliseconds = Math.round(seconds * 1000);
  if (milliseconds === 0) return '0s';
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const rest = `${(milliseconds % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
