import { z } from 'zod';
import { text } from './fields.js';

/** The name of a secret, as the lock file and `ragdock secrets set` have it. */
const secretName = text(/^[a-z][a-z0-9-]{0,62}$/, 'a name of lower-case letters, digits and -, a letter first');

/** An address of HTTP. What else is wrong with one is told by the rules: the value may hold a password. */
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

/** Why something goes to another machine in the clear. */
const acknowledge = z
  .string()
  .min(8)
  .optional()
  .describe('Why it may be asked without encryption; required where that is not the Docker host itself');

/** Whom a server's certificate is checked against besides the public authorities. */
export const privateAuthority = {
  ca: z
    .string()
    .optional()
    .describe('Certificates of private authorities, in PEM, that its own is checked against. Default: the public ones'),
  caFile: text(/^[^/\0][^\0]*\.(pem|crt|cer)$/, 'a relative path that ends in .pem, .crt or .cer')
    .optional()
    .describe('The same in a file; the path starts at the folder of the environment files'),
};

const metrics = z
  .strictObject({
    url: httpUrl.describe('Where Prometheus finds them, the path included, such as `https://db.example:6333/metrics`'),
    key: z.boolean().default(false).describe('Whether it has to show the server’s key there, as a bearer token'),
  })
  .optional()
  .describe('Its metrics. Default: they are not collected');

/** Where a server of HTTP is that somebody else runs. */
export const externalHttp = {
  url: httpUrl,
  ...privateAuthority,
  metrics,
  acknowledge,
};

export const keySecret = secretName.optional();

/** PostgreSQL that somebody else runs. */
export const externalPostgres = z
  .strictObject({
    url: text(
      /^postgresql:\/\/[^\s/?#@]+@[^\s/?#@]+\/[^\s/?#]+$/,
      'an address like postgresql://rag_api@db.example:5432/ml_db',
    ).describe('Role, host, port and database, without a password'),
    passwordSecret: secretName
      .optional()
      .describe('Name of the secret with the role’s password. Default: `postgres-<role>-password`'),
    sslMode: z
      .enum(['verify-full', 'disable'])
      .default('verify-full')
      .describe('Encrypted, with the certificate checked for the host; or in the clear'),
    ...privateAuthority,
    acknowledge,
  })
  .optional()
  .describe('A database that is there already, in place of a server of the stack');

/** Qdrant that somebody else runs. */
export const externalQdrant = z
  .strictObject({
    ...externalHttp,
    url: httpUrl.describe('Its REST API, with the port where it is not 80 or 443'),
    keySecret: keySecret.describe('Name of the secret with its key. Default: `qdrant-api-key`'),
  })
  .optional()
  .describe('A server that is there already, in place of one of the stack');
