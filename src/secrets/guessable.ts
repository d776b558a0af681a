/** Words of values that everybody tries first. A value that is made of nothing else is one of those. */
const WORDS = [
  ...['admin', 'administrator', 'root', 'user', 'username', 'guest', 'login', 'master', 'test', 'tester', 'demo'],
  ...['password', 'passwort', 'passwd', 'pass', 'pwd', 'secret', 'token', 'key', 'apikey', 'api', 'credential'],
  ...['changeme', 'change', 'changeit', 'default', 'example', 'sample', 'dummy', 'insecure', 'temp', 'replace'],
  ...[
    'letmein',
    'welcome',
    'hello',
    'world',
    'qwerty',
    'qwertyuiop',
    'asdf',
    'asdfgh',
    'asdfghjkl',
    'zxcvbn',
    'zxcvbnm',
  ],
  ...['foobar', 'foo', 'bar', 'todo', 'none', 'null', 'undefined'],
  ...[
    'postgres',
    'postgresql',
    'qdrant',
    'grafana',
    'prometheus',
    'vllm',
    'llama',
    'hugging',
    'face',
    'ragdock',
    'rag',
  ],
  ...[
    'dev',
    'prod',
    'production',
    'local',
    'localhost',
    'server',
    'database',
    'super',
    'my',
    'me',
    'the',
    'your',
    'this',
  ],
  ...['is', 'it', 'an', 'please', 'very', 'strong', 'not', 'new', 'in', 'for', 'of', 'and', 'here', 'put'],
];

const DEFAULTS = new RegExp(`^(?:${WORDS.join('|')})+$`);

/** Digits that are written in place of letters. */
const LETTERS: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't' };

/** Fewest different characters. A random value of 16 hexadecimal digits has ten. */
const FEWEST_DIFFERENT = 6;

/** Fewest characters that are left when whatever follows by itself is left out. */
const FEWEST_OWN = 10;

/**
 * Whether a value is a default that everybody knows, whatever digits and signs stand around its words, or in place of
 * their letters: `admin`, `changeme-2024`, `P4ssw0rd12345678`.
 */
export function isKnownDefault(value: string): boolean {
  const lower = value.toLowerCase();
  const inner = lower.replace(/^[^a-z]+|[^a-z]+$/g, '').replace(/[013457]/g, (digit) => LETTERS[digit] ?? digit);
  return [lower, inner].some((text) => DEFAULTS.test(text.replace(/[^a-z]/g, '')));
}

/** Whether there is little to guess for its length: few characters, repetitions, or rows such as 0123456789. */
export function hasLowEntropy(value: string): boolean {
  return (
    new Set(value).size < FEWEST_DIFFERENT ||
    periodOf(value) < FEWEST_OWN ||
    withoutRows(value).length < FEWEST_OWN ||
    periodOf(withoutRows(value)) < FEWEST_OWN
  );
}

/** Characters after which a value repeats itself to its end; its length when it never does. */
function periodOf(value: string): number {
  for (let period = 1; period < value.length; period++) {
    if (value.startsWith(value.slice(period))) {
      // The last few characters of any value may be those that it begins with.
      return value.length - period >= 4 ? period : value.length;
    }
  }
  return value.length;
}

/** A value with one of each character that follows itself, and the first and the last of each row alone: 0123, dcba. */
function withoutRows(value: string): string {
  const text = value.replace(/(.)\1+/gs, '$1');
  let left = '';
  for (let start = 0; start < text.length; ) {
    const step = stepAt(text, start);
    let end = start + 1;
    while (end < text.length && Math.abs(step) === 1 && stepAt(text, end - 1) === step) end++;
    left += end - start > 2 ? `${text[start]}${text[end - 1]}` : text.slice(start, end);
    start = end;
  }
  return left;
}

/** From a character to the next one. */
const stepAt = (text: string, at: number): number => text.charCodeAt(at + 1) - text.charCodeAt(at);
