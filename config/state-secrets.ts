import type { Path } from './located.js';
import { namesSecret } from './secret-names.js';
import type { State } from './state.js';

/** Where a backend takes a secret setting from instead, by backend and setting: environment variables of Terraform. */
const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  azurerm: {
    access_key: 'ARM_ACCESS_KEY',
    client_certificate: 'ARM_CLIENT_CERTIFICATE',
    client_certificate_password: 'ARM_CLIENT_CERTIFICATE_PASSWORD',
    client_secret: 'ARM_CLIENT_SECRET',
    oidc_request_token: 'ARM_OIDC_REQUEST_TOKEN',
    oidc_token: 'ARM_OIDC_TOKEN',
    sas_token: 'ARM_SAS_TOKEN',
  },
  consul: { access_token: 'CONSUL_HTTP_TOKEN', http_auth: 'CONSUL_HTTP_AUTH' },
  cos: {
    secret_id: 'TENCENTCLOUD_SECRET_ID',
    secret_key: 'TENCENTCLOUD_SECRET_KEY',
    security_token: 'TENCENTCLOUD_SECURITY_TOKEN',
  },
  gcs: {
    access_token: 'GOOGLE_OAUTH_ACCESS_TOKEN',
    credentials: 'GOOGLE_CREDENTIALS',
    encryption_key: 'GOOGLE_ENCRYPTION_KEY',
  },
  http: {
    address: 'TF_HTTP_ADDRESS',
    client_private_key_pem: 'TF_HTTP_CLIENT_PRIVATE_KEY_PEM',
    lock_address: 'TF_HTTP_LOCK_ADDRESS',
    password: 'TF_HTTP_PASSWORD',
    unlock_address: 'TF_HTTP_UNLOCK_ADDRESS',
  },
  kubernetes: { client_key: 'KUBE_CLIENT_KEY_DATA', password: 'KUBE_PASSWORD', token: 'KUBE_TOKEN' },
  oss: {
    access_key: 'ALICLOUD_ACCESS_KEY',
    secret_key: 'ALICLOUD_SECRET_KEY',
    security_token: 'ALICLOUD_SECURITY_TOKEN',
  },
  pg: { conn_str: 'PG_CONN_STR' },
  remote: { token: 'TF_TOKEN_<host name>, dots as _' },
  s3: {
    access_key: 'AWS_ACCESS_KEY_ID',
    secret_key: 'AWS_SECRET_ACCESS_KEY',
    sse_customer_key: 'AWS_SSE_CUSTOMER_KEY',
    token: 'AWS_SESSION_TOKEN',
  },
};

/** Settings of `VARIABLES` that are fine as long as their value holds no secret. */
const OFTEN_HARMLESS: ReadonlySet<string> = new Set([
  'address',
  'conn_str',
  'credentials',
  'lock_address',
  'unlock_address',
]);

/** Names that sound like secrets: where the state lies in a bucket, and which key of a service encrypts it. */
const NO_SECRETS: ReadonlySet<string> = new Set(['key', 'kms_encryption_key']);

/** A setting of a backend that must not stand in a file. */
export interface StateSecret {
  /** Keys from the backend's settings on. */
  readonly path: Path;
  readonly message: string;
  readonly remedy: string;
}

/**
 * Settings of a state's backend that are secrets. They would end in git, and in cdk.tf.json. No message holds a part
 * of a value.
 */
export function secretsInState({ backend, config }: State): readonly StateSecret[] {
  return visit(config, []).flatMap(({ path, value }): StateSecret[] => {
    const key = String(path.findLast((segment) => typeof segment === 'string'));
    const why = reasonFor(backend, key, value, path.length > 1);
    if (why === undefined) return [];
    const top = String(path[0]);
    const variable = VARIABLES[backend]?.[top];
    const remedy =
      variable === undefined
        ? 'Take it out. The backend’s own environment variables bring it, or `TF_CLI_ARGS_init=-backend-config=FILE`.'
        : `Take it out, and set the environment variable ${variable}, which Terraform reads for it.`;
    return [{ path, message: `${why}; everybody who may read this file would see it`, remedy }];
  });
}

function reasonFor(backend: string, key: string, value: string, nested: boolean): string | undefined {
  if (value === '') return undefined;
  const held = contentOf(value);
  if (held !== undefined) return `the value holds ${held}`;
  const known = nested ? undefined : VARIABLES[backend]?.[key];
  if (OFTEN_HARMLESS.has(key) || NO_SECRETS.has(key)) return undefined;
  if (known !== undefined || namesSecret(key) || /^authorization$/i.test(key)) return `${key} is a secret`;
  return undefined;
}

/** What of a text is secret by its form, whatever setting it is in. */
function contentOf(value: string): string | undefined {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value) || /"private_key"\s*:/.test(value)) return 'a private key';
  // A password may hold a slash that nobody encoded, so the last @ counts.
  if (/:\/\/[^\s/@:]*:[^\s@]+@/.test(value)) return 'a URL with a password';
  const parameters = [...value.matchAll(/(?:[?&\s]|^)([A-Za-z_-]+)\s*=\s*[^\s&]/g)].map(([, name = '']) => name);
  const named = parameters.find((name) => namesSecret(name) && !/^sslkey$/i.test(name));
  return named === undefined ? undefined : `a value for ${named}`;
}

/** Every text of a value, with its path. */
function visit(value: unknown, path: Path): readonly { readonly path: Path; readonly value: string }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => visit(item, [...path, index]));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => visit(inner, [...path, key]));
  }
  return typeof value === 'string' || typeof value === 'number' ? [{ path, value: String(value) }] : [];
}
