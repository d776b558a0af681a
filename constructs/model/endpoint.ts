import type { ExternalServer } from './external-server.js';
import type { SecretRef } from './secret.js';
import type { Workload } from './workload.js';

/** What clients speak; it starts the URL. */
export type Scheme = 'http' | 'grpc' | 'postgresql';

/** Where an endpoint listens, and what it asks of its clients. */
export interface EndpointProps {
  /** What clients speak. */
  readonly scheme: Scheme;
  /** Port inside the container, 1 to 65535. */
  readonly port: number;
  /** Name or IPv4 address of a server outside the stack. @default - the container of the workload that listens */
  readonly host?: string | undefined;
  /** Whether clients encrypt the connection and check the certificate. @default false */
  readonly tls?: boolean | undefined;
  /** What a client has to present. @default - none, the endpoint is open to whoever can reach it */
  readonly credential?: SecretRef | undefined;
  /** Role that a client logs in as, part of the URL. @default - none */
  readonly user?: string | undefined;
  /**
   * Whether the role is one for rights, and two others log in for it, which take turns with the versions of the
   * credential: clients make the login's name of the user in the URL, `NAME_*`. @default false
   */
  readonly loginsInTurn?: boolean | undefined;
  /** Path that every URL of this endpoint starts with, such as a database's name. @default - empty */
  readonly basePath?: string | undefined;
}

/** One place to connect to. Clients hand the object on; they never spell out a host or a port. */
export class Endpoint {
  /** What clients speak. */
  readonly scheme: Scheme;
  /** Port inside the container, or of a server outside the stack; 1 to 65535. */
  readonly port: number;
  /** Name or IPv4 address of a server outside the stack; undefined for one of the stack. */
  readonly host: string | undefined;
  /** Whether clients encrypt the connection and check the certificate. */
  readonly tls: boolean;
  /** What a client has to present; undefined when the endpoint is open to whoever can reach it. */
  readonly credential: SecretRef | undefined;
  /** Role that a client logs in as. */
  readonly user: string | undefined;
  /** Whether two logins take turns for the role. */
  readonly loginsInTurn: boolean;
  /** Path that every URL starts with, or an empty string. */
  readonly basePath: string;

  /** Made by `expose` of who listens. */
  constructor(
    /** Who listens: a workload of the stack, or a server outside of it. */
    readonly owner: Workload | ExternalServer,
    /** Unique among the endpoints of its owner. */
    readonly name: string,
    props: EndpointProps,
  ) {
    this.scheme = props.scheme;
    this.port = props.port;
    this.host = props.host;
    this.tls = props.tls ?? false;
    this.credential = props.credential;
    this.user = props.user;
    this.loginsInTurn = props.loginsInTurn ?? false;
    this.basePath = props.basePath ?? '';
  }

  /** The user as URLs name it: `NAME_*` where two logins take turns. */
  get userInUrl(): string | undefined {
    return this.loginsInTurn && this.user !== undefined ? `${this.user}_*` : this.user;
  }
}
