import { X509Certificate } from 'node:crypto';
import { join, normalize } from 'node:path';
import type { Path } from './located.js';
import { readText } from './read-text.js';
import type { Finding } from './rules.js';
import type { Settings } from './schema.js';

/** Where certificates of private authorities may be named. */
interface Authority {
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * Settings in which every `caFile` has become the `ca` that it holds, so that nothing reads a file after this, and what
 * is wrong with certificates.
 *
 * @param folder of the environment files, relative to `cwd`; undefined where files cannot be read
 */
export function withCertificates(
  settings: Settings,
  cwd: string | undefined,
  folder: string,
): { readonly settings: Settings; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const resolve = <T extends Authority>(from: T, path: Path): T => {
    const { caFile, ...rest } = from;
    if (caFile === undefined) {
      if (from.ca !== undefined) findings.push(...faultsOf(from.ca, [...path, 'ca']));
      return from;
    }
    if (from.ca !== undefined) {
      const remedy = 'Remove one of the two.';
      findings.push({ path: [...path, 'caFile'], message: '`ca` gives certificates already', remedy });
      return rest as T;
    }
    const at = [...path, 'caFile'];
    const file = join(folder, caFile);
    const read = cwd === undefined ? undefined : readText(cwd, file);
    if (normalize(file).startsWith('..') || (read && 'problem' in read)) {
      const why = read && 'problem' in read ? read.problem.message : 'lies outside of the project';
      findings.push({ path: at, message: `${file} ${why}`, remedy: 'Give the path from the folder of this file.' });
      return rest as T;
    }
    const ca = read && 'text' in read ? `${read.text.trim()}\n` : '';
    if (read) findings.push(...faultsOf(ca, at));
    return { ...rest, ca } as T;
  };
  const { postgres, qdrant, llm } = settings.services;
  const resolved: Settings = {
    ...settings,
    services: {
      ...settings.services,
      postgres: postgres.external
        ? { ...postgres, external: resolve(postgres.external, ['services', 'postgres', 'external']) }
        : postgres,
      qdrant: qdrant.external
        ? { ...qdrant, external: resolve(qdrant.external, ['services', 'qdrant', 'external']) }
        : qdrant,
      llm: Object.fromEntries(
        Object.entries(llm).map(([name, server]) => [
          name,
          server.engine === 'openai' ? resolve(server, ['services', 'llm', name]) : server,
        ]),
      ),
    },
  };
  return { settings: resolved, findings };
}

/** What is wrong with certificates in PEM. Nothing of the text is shown: it may hold what it should not. */
function faultsOf(pem: string, path: Path): readonly Finding[] {
  const fault = (message: string, remedy: string): readonly Finding[] => [{ path, message, remedy }];
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.some(([, kind = '']) => kind.endsWith('PRIVATE KEY'))) {
    return fault(
      'there is a private key among the certificates',
      'Take it out, and make a new key: this one is known.',
    );
  }
  if (blocks.length === 0) {
    return fault('there is no certificate in it', 'Give PEM: -----BEGIN CERTIFICATE----- and what follows.');
  }
  if (pem.replace(BLOCK, '').includes('-----')) {
    return fault('one of the certificates has no end', 'Give every one from its BEGIN to its END.');
  }
  const unreadable = blocks.findIndex(([text]) => !isCertificate(text));
  if (unreadable === -1) return [];
  return fault(`the certificate ${unreadable + 1} of ${blocks.length} cannot be read`, 'Copy it again.');
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
