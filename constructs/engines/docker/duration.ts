/**
 * A duration as Go's `Duration.String()` spells it: `10s`, `1m0s`, `1h0m0s`. The provider reads health checks back in
 * this spelling, and any other one shows as a difference in every plan.
 *
 * @param seconds zero or more; whole milliseconds
 */
export function goDuration(seconds: number): string {
  if (!(seconds >= 0) || !Number.isFinite(seconds)) throw new RangeError(`${seconds} is no duration in seconds`);
  if (seconds === 0) return '0s';
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
