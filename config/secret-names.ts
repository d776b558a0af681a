/** Endings of names whose values are secrets. A name that ends in `_FILE` holds a path. */
const SECRET_NAME = /(PASSWORD|PASSPHRASE|PASSWD|TOKEN|SECRET|KEY|CREDENTIALS?)$/i;

/** Whether a setting or an environment variable of this name holds a secret. */
export const namesSecret = (name: string): boolean => SECRET_NAME.test(name);

/** Whether a text is a URL with a password in it. */
export const holdsPassword = (text: string): boolean => /:\/\/[^\s/@:]*:[^\s/@]+@/.test(text);

/** A wrong value as a problem may show it: short, on one line, and without what could be a secret. */
export function showValue(name: string | number | undefined, value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof name === 'string' && namesSecret(name)) return 'a value that is not shown';
  if (typeof value !== 'string') return String(value);
  if (holdsPassword(value)) return 'a URL with a password, which is not shown';
  const characters = [...value];
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 57).join('')}…` : value);
}
