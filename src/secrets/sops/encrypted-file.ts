import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import type { Problem } from '../../errors/problem.js';

/** What an encrypted file says to everybody, without a key. */
export interface EncryptedFile {
  /** Whether there is a file. */
  readonly exists: boolean;
  /** Its bytes as they are; empty when there is none. */
  readonly text: string;
  /** Keys of its values: `qdrant-api-key.v1`. */
  readonly keys: readonly string[];
  /** Public keys of age that may read it; sops knows other kinds of keys too. */
  readonly recipients: readonly string[];
  /** Clear values, and what else makes it no encrypted file. No problem holds a part of a value. */
  readonly problems: readonly Problem[];
}

/** What sops keeps beside the values: who may read them, and a checksum. */
const METADATA = 'sops';

const ENCRYPTED = /^ENC\[[A-Z0-9_]+,data:.*\]$/s;

/**
 * Read an encrypted file without decrypting it.
 *
 * @param file relative to `cwd`
 */
export function readEncryptedFile(cwd: string, file: string): EncryptedFile {
  try {
    return encryptedFile(readFileSync(join(cwd, file), 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { exists: false, text: '', keys: [], recipients: [], problems: [] };
  }
}

/** The same for a text that is, or is to be, in `file`. */
export function encryptedFile(text: string, file: string): EncryptedFile {
  const document = parseDocument(text, { logLevel: 'silent' });
  const root = document.contents;
  if (document.errors.length > 0 || !isMap(root)) {
    const message = 'is no YAML document of names and values';
    return { exists: true, text, keys: [], recipients: [], problems: [{ code: 'SOPS_FILE_DAMAGED', file, message }] };
  }
  const entries = root.items.map(({ key, value }) => ({ key: String(isScalar(key) ? key.value : key), value }));
  const values = entries.filter(({ key }) => key !== METADATA);
  const metadata = entries.find(({ key }) => key === METADATA)?.value;
  const clear = values.filter(({ value }) => !isEncrypted(value)).map(({ key }) => key);
  const age = isMap(metadata) ? (metadata.toJSON() as { age?: { recipient?: unknown }[] | null }).age : undefined;
  return {
    exists: true,
    text,
    keys: values.map(({ key }) => key),
    recipients: Array.isArray(age) ? age.map((entry) => String(entry.recipient)) : [],
    problems: isMap(metadata) ? clear.map((key) => clearValue(file, key)) : [clearFile(file, values.length)],
  };
}

function isEncrypted(value: unknown): boolean {
  if (isMap(value)) return value.items.every((item) => isEncrypted(item.value));
  // sops leaves an empty text as it is; that no secret is empty is told elsewhere.
  return isScalar(value) && typeof value.value === 'string' && (value.value === '' || ENCRYPTED.test(value.value));
}

function clearFile(file: string, count: number): Problem {
  const message = `sops has not encrypted it: its ${count} values can be read by everybody who has the file`;
  return { code: 'SOPS_FILE_CLEAR', file, message };
}

/** Somebody wrote it by hand, or a rule of .sops.yaml leaves it out. */
function clearValue(file: string, path: string): Problem {
  return {
    code: 'SOPS_FILE_CLEAR',
    file,
    path,
    message: 'this value is not encrypted, and everybody who has the file can read it',
    remedy:
      'Take the value for known, remove it from the file and from the history of git, and see that no rule of .sops.yaml (encrypted_regex, unencrypted_suffix and their like) leaves it out.',
  };
}
