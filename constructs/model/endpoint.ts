import type { SecretRef } from './secret.js';
import type { Workload } from './workload.js';

export type Scheme = 'http' | 'postgresql';

export interface EndpointProps {
  readonly scheme: Scheme;
  /** Port inside the container, 1 to 65535. */
  readonly port: number;
  /** What a client has to present. @default - none, the endpoint is open to whoever can reach it */
  readonly credential?: SecretRef | undefined;
  /** Role that a client logs in as, part of the URL. @default - none */
  readonly user?: string | undefined;
  /** Path that every URL of this endpoint starts with, such as a database's name. @default - empty */
  readonly basePath?: string | undefined;
}

/** One place to connect to. Clients hand the object on; they never spell out a host or a port. */
export class Endpoint {
  readonly scheme: Scheme;
  readonly port: number;
  readonly credential: SecretRef | undefined;
  readonly user: string | undefined;
  readonly basePath: string;

  constructor(
    readonly owner: Workload,
    readonly name: string,
    props: EndpointProps,
  ) {
    this.scheme = props.scheme;
    this.port = props.port;
    this.credential = props.credential;
    this.user = props.user;
    this.basePath = props.basePath ?? '';
  }
}
