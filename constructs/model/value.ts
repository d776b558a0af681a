import type { Endpoint } from './endpoint.js';
import type { SecretRef } from './secret.js';

/**
 * A piece of text in which addresses and the places of secrets are still objects. The engine renders it, because one
 * endpoint has another address for each reader.
 */
export type Value =
  | string
  | { readonly kind: 'url'; readonly endpoint: Endpoint; readonly path: string }
  | { readonly kind: 'host-port'; readonly endpoint: Endpoint }
  | { readonly kind: 'own-address' }
  | { readonly kind: 'login'; readonly endpoint: Endpoint }
  | { readonly kind: 'secret-path'; readonly secret: SecretRef; readonly versioned: boolean }
  | { readonly kind: 'text'; readonly parts: readonly Value[] };

/** The endpoint's URL as its reader can reach it, with `path` behind it. */
export const url = (endpoint: Endpoint, path = ''): Value => ({ kind: 'url', endpoint, path });

/** `host:port` of the endpoint as its reader can reach it. */
export const hostPort = (endpoint: Endpoint): Value => ({ kind: 'host-port', endpoint });

/**
 * Who logs in at an endpoint with the version of the credential that is in force: its user, or where two logins take
 * turns the one of the version. A new version changes it.
 */
export const login = (endpoint: Endpoint): Value => ({ kind: 'login', endpoint });

/**
 * The address on which the reader's own process has to listen: every address in a network of its own, or, on the
 * host's network, the host's end of the one network that its client is on.
 */
export const ownAddress: Value = { kind: 'own-address' };

/**
 * Path of a secret's file.
 *
 * `current` names the version in force, so that a new version replaces the reader. `rereadable` names the path without
 * version, for programs that look for the newest `PATH.vN` themselves: a new version leaves them running.
 */
export const secretPath = (secret: SecretRef, reading: 'current' | 'rereadable'): Value => ({
  kind: 'secret-path',
  secret,
  versioned: reading === 'current',
});

/** Template tag: text`--listen=${listenAddress(endpoint)}`. */
export function text(strings: TemplateStringsArray, ...values: readonly Value[]): Value {
  const parts: Value[] = [];
  strings.forEach((string, index) => {
    if (string !== '') parts.push(string);
    const value = values[index];
    if (value !== undefined) parts.push(value);
  });
  return { kind: 'text', parts };
}

/** Every secret that a value names. */
export function secretsOf(value: Value): SecretRef[] {
  if (typeof value === 'string') return [];
  if (value.kind === 'secret-path') return [value.secret];
  return value.kind === 'text' ? value.parts.flatMap(secretsOf) : [];
}
