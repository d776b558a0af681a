const BYTES: Readonly<Record<string, number>> = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };
const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 };

/**
 * Whether two values of a PostgreSQL setting mean the same: `1GB` and `1024MB`, `on` and `true`, `0.90` and `0.9`.
 * SHOW gives amounts in the largest unit that divides them, not as they were written.
 */
export function sameSetting(a: string | number | boolean, b: string | number | boolean): boolean {
  return canonical(String(a)) === canonical(String(b));
}

function canonical(value: string): string {
  const [, number, unit = ''] = /^(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(value.trim()) ?? [];
  if (number === undefined) {
    const word = value.trim().toLowerCase();
    return { true: 'on', yes: 'on', false: 'off', no: 'off' }[word] ?? word;
  }
  // Nothing is nothing in every unit, and SHOW gives it without one.
  if (Number(number) === 0) return '0';
  const bytes = BYTES[unit];
  if (bytes !== undefined) return `${Number(number) * bytes} bytes`;
  const seconds = SECONDS[unit];
  // In whole microseconds, so that 0.1 s and 100 ms are one number.
  if (seconds !== undefined) return `${Math.round(Number(number) * seconds * 1e6)} us`;
  return unit === '' ? `${Number(number)}` : value.trim();
}
