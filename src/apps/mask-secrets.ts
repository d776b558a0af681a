/** Shorter values would also blot out ordinary words. */
const SHORTEST_SECRET = 8;

/** What looks like a secret whatever its value: each pattern keeps what it captures and hides the rest. */
const PATTERNS: readonly RegExp[] = [
  // user:password@host, or :password@host
  /(\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g,
  /(\bBearer\s+)[\w.~+/=-]{8,}/gi,
  /(\bauthorization["']?\s*[:=]\s*["']?Basic\s+)[\w+/=-]{4,}/gi,
  /(\bPASSWORD\s+)'[^']*'/gi,
  /((?:api[-_]?key|password|passwd|token|secret)["']?\s*[:=]\s*["']?)[^\s"',;}]{6,}/gi,
];

/** What a text was cut off after, with the sign of that. */
const CUT = '…';

/** The beginning of a value, where the text was cut inside of it. */
function withoutBeginning(text: string, value: string): string {
  if (!text.includes(CUT)) return text;
  for (let length = value.length - 1; length >= SHORTEST_SECRET; length -= 1) {
    const beginning = `${value.slice(0, length)}${CUT}`;
    if (text.includes(beginning)) return text.replaceAll(beginning, `***${CUT}`);
  }
  return text;
}

/** A text with these values, and what looks like a secret, replaced by asterisks. */
export function maskSecrets(text: string, values: readonly string[]): string {
  let masked = text;
  // Longest first: a value may be a part of another one.
  const known = values.filter((value) => value.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  for (const value of known) {
    // As it is, in a URL, in JSON.
    const forms = new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]);
    for (const form of forms) masked = withoutBeginning(masked.replaceAll(form, '***'), form);
  }
  for (const pattern of PATTERNS) masked = masked.replace(pattern, '$1***');
  return masked;
}
