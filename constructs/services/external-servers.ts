import type { Construct } from 'constructs';
import { type Endpoint, ExternalServer, modelError, SecretRef } from '../model/index.js';

/** Where an external server gives Prometheus metrics, and whether it wants its credential there. */
export interface ExternalMetrics {
  /** http or https, the path included: `https://vectors.example:6333/metrics`. */
  readonly url: string;
  /** Whether the server's key is shown there as a bearer token. @default false */
  readonly key?: boolean | undefined;
}

/** A role that is there already, on a server that somebody else runs. */
export interface ExternalPostgresProps {
  /** `postgresql://role@host:port/database`, without a password. */
  readonly url: string;
  /** Name of the secret that holds the role's password. @default - <id>-<role>-password */
  readonly passwordSecret?: string | undefined;
  /** Whether the connection is encrypted and the certificate checked. @default true */
  readonly tls?: boolean | undefined;
  /** Certificates of private authorities, in PEM. @default - the public ones alone */
  readonly certificateAuthority?: string | undefined;
}

/** A database of PostgreSQL outside the stack, for the one role that it lets the stack have. */
export class ExternalPostgres extends ExternalServer {
  /** Name of the database. */
  readonly database: string;
  /** The role of the RAG API, which also keeps the schema up to date. */
  readonly role: Endpoint;

  /** @throws RagdockError MODEL_INVALID when the URL names no role or no database */
  constructor(scope: Construct, id: string, props: ExternalPostgresProps) {
    super(scope, id, props);
    const { username = '', pathname = '' } = URL.canParse(props.url) ? new URL(props.url) : {};
    const user = decodeURIComponent(username);
    this.database = decodeURIComponent(pathname.replace(/^\/+/, ''));
    if (user === '' || this.database === '') {
      throw modelError(this, 'the URL names no role or no database', 'write postgresql://role@host:port/database');
    }
    const name = props.passwordSecret ?? `${id}-${user.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-password`;
    this.role = this.expose(`sql-${user}`, {
      url: props.url,
      credential: new SecretRef(name, `logs ${user} in to PostgreSQL`, 'given'),
      tls: props.tls ?? true,
    });
  }
}

/** A server of Qdrant that somebody else runs. It has a key. */
export interface ExternalQdrantProps {
  /** http or https, with Qdrant's port where it is not the usual one of the scheme. */
  readonly url: string;
  /** Name of the secret that holds its key. @default - <id>-api-key */
  readonly keySecret?: string | undefined;
  /** Where Prometheus finds its metrics. @default - they are not collected */
  readonly metrics?: ExternalMetrics | undefined;
  /** Certificates of private authorities, in PEM. @default - the public ones alone */
  readonly certificateAuthority?: string | undefined;
}

/** Qdrant outside the stack. */
export class ExternalQdrant extends ExternalServer {
  /** REST, with a key. */
  readonly http: Endpoint;
  /** Prometheus metrics; undefined when they are not collected. */
  readonly metrics: Endpoint | undefined;

  constructor(scope: Construct, id: string, props: ExternalQdrantProps) {
    super(scope, id, props);
    const key = new SecretRef(
      props.keySecret ?? `${id}-api-key`,
      'reads and writes every collection of Qdrant',
      'given',
    );
    this.http = this.expose('http', { url: props.url, credential: key });
    this.metrics = exposeMetrics(this, props.metrics, key);
  }
}

/** A server of the OpenAI protocol that somebody else runs. */
export interface ExternalLlmProps {
  /** http or https, with or without `/v1` at its end. */
  readonly url: string;
  /** Name of the secret that holds its key. @default - none, the server asks for no key */
  readonly keySecret?: string | undefined;
  /** Where Prometheus finds its metrics. @default - they are not collected */
  readonly metrics?: ExternalMetrics | undefined;
  /** Certificates of private authorities, in PEM. @default - the public ones alone */
  readonly certificateAuthority?: string | undefined;
}

/** A model outside the stack, behind the OpenAI protocol. */
export class ExternalLlm extends ExternalServer {
  /** The OpenAI protocol. Its clients add `/v1`. */
  readonly http: Endpoint;
  /** Prometheus metrics; undefined when they are not collected. */
  readonly metrics: Endpoint | undefined;

  constructor(scope: Construct, id: string, props: ExternalLlmProps) {
    super(scope, id, props);
    const key =
      props.keySecret === undefined ? undefined : new SecretRef(props.keySecret, `asks the model of ${id}`, 'given');
    this.http = this.expose('http', { url: props.url.replace(/\/+$/, '').replace(/\/v1$/, ''), credential: key });
    this.metrics = exposeMetrics(this, props.metrics, key);
  }
}

function exposeMetrics(
  server: ExternalServer,
  metrics: ExternalMetrics | undefined,
  key: SecretRef | undefined,
): Endpoint | undefined {
  if (!metrics) return undefined;
  if (metrics.key && !key) {
    throw modelError(server, 'its metrics want a key, and it has none', 'give it a key, or leave `key` out');
  }
  return server.expose('metrics', { url: metrics.url, credential: metrics.key ? key : undefined });
}
