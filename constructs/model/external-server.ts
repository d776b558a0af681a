import { Construct, type IConstruct } from 'constructs';
import { Endpoint } from './endpoint.js';
import { modelError } from './errors.js';
import type { SecretRef } from './secret.js';

/** The name under which clients reach a server that listens on the machine of the engine itself. */
export const ENGINE_HOST = 'host.docker.internal';

/** What is known of a server that somebody else runs. */
export interface ExternalServerProps {
  /**
   * Certificates, in PEM, of the authorities that its own certificate is checked against besides the public ones.
   *
   * @default - the public ones alone
   */
  readonly certificateAuthority?: string | undefined;
}

/** A place of such a server. */
export interface ExternalEndpointProps {
  /** http, https or postgresql, with a host and, where it is not the usual one, a port. A path starts every URL. */
  readonly url: string;
  /** What a client has to present. @default - none */
  readonly credential?: SecretRef | undefined;
  /** Whether the connection is encrypted and the certificate checked. @default - https is, postgresql and http are not */
  readonly tls?: boolean | undefined;
}

const EXTERNAL = Symbol.for('ragdock.ExternalServer');

/** Ports where a URL names none. */
const USUAL_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'postgresql:': 5432 };

/**
 * A server outside the stack. Clients are connected to it as they are to a service: it decides their address, their
 * credential and a network with a way out. Nothing of it is deployed.
 */
export class ExternalServer extends Construct {
  /** Whether a construct is such a server, also one of another copy of this package. */
  static isExternalServer(construct: IConstruct): construct is ExternalServer {
    return EXTERNAL in construct;
  }

  /** In PEM; undefined when its certificate is checked against the public authorities alone. */
  readonly certificateAuthority: string | undefined;
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(scope: Construct, id: string, props: ExternalServerProps = {}) {
    super(scope, id);
    Object.defineProperty(this, EXTERNAL, { value: true });
    this.certificateAuthority = props.certificateAuthority;
  }

  /**
   * Make a place that clients may connect to.
   *
   * @throws RagdockError MODEL_INVALID for a URL that is none of those, and when there is an endpoint of this name
   */
  expose(name: string, { url: text, credential, tls }: ExternalEndpointProps): Endpoint {
    if (this.#endpoints.has(name)) {
      throw modelError(this, `the endpoint '${name}' exists already`, 'give the second endpoint a name of its own');
    }
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const usual = USUAL_PORTS[url?.protocol ?? ''];
    if (!url || usual === undefined || url.hostname === '' || url.password !== '') {
      const remedy = 'write scheme://host:port with http, https or postgresql, and no password';
      throw modelError(this, `the address of the endpoint '${name}' is no URL of a server`, remedy);
    }
    const endpoint = new Endpoint(this, name, {
      scheme: url.protocol === 'postgresql:' ? 'postgresql' : 'http',
      host: url.hostname,
      port: url.port === '' ? usual : Number(url.port),
      tls: tls ?? url.protocol === 'https:',
      user: url.username === '' ? undefined : decodeURIComponent(url.username),
      basePath: url.pathname.replace(/\/+$/, ''),
      credential,
    });
    this.#endpoints.set(name, endpoint);
    return endpoint;
  }

  /** What clients may connect to. A copy; change it with `expose`. */
  get endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()];
  }
}
