import type { Construct, IConstruct } from 'constructs';
import type { Endpoint } from './endpoint.js';
import { modelError } from './errors.js';
import type { Value } from './value.js';
import { Workload, type WorkloadProps } from './workload.js';

/** How the engine finds out whether a service can do its work. */
export interface HealthCheck {
  /** Program and arguments; exit code 0 means healthy. No shell in between. */
  readonly command: readonly Value[];
  /** Time between two checks, in seconds. @default 10 */
  readonly intervalSeconds?: number;
  /** A check that takes longer has failed. @default 5 */
  readonly timeoutSeconds?: number;
  /** Failures in a row until the service counts as unhealthy. @default 3 */
  readonly retries?: number;
  /** Failures within this time after the start do not count. @default 30 */
  readonly startPeriodSeconds?: number;
  /** Whether it also fails where a server that the service is connected to does not answer. @default false */
  readonly includesServers?: boolean;
}

/** Whether a service that a person stopped is started again when the engine starts: `always` it is, `unless-stopped` it is not. */
export type RestartPolicy = 'unless-stopped' | 'always';

/** What a service is, beyond what every workload is. */
export interface ServiceProps extends WorkloadProps {
  /** How the engine finds out whether it can do its work. */
  readonly healthCheck: HealthCheck;
  /** Time between the request to stop and the kill. @default 10 */
  readonly stopGraceSeconds?: number;
  /** Signal that asks the process to end: `SIGINT`. @default - the image's */
  readonly stopSignal?: string;
  /** When the engine starts it again; either way also after it ended with exit code 0. @default 'unless-stopped' */
  readonly restart?: RestartPolicy;
  /**
   * A deploy waits at most this long until the service is healthy. Only for stateless services that start quickly: a
   * container that is late is killed by the next deploy.
   *
   * @default - a deploy does not wait
   */
  readonly deployWaitSeconds?: number;
}

/** A port of the host that leads to an endpoint. */
export interface PublishedPort {
  /** Where the port leads. */
  readonly endpoint: Endpoint;
  /** Port on the host, 1 to 65535. */
  readonly port: number;
  /** Address of the host that the port binds. */
  readonly address: string;
  /** Why other machines may reach it; undefined when nobody said so. */
  readonly acknowledge?: string | undefined;
}

const SERVICE = Symbol.for('ragdock.Service');

/** A container that runs all the time; the engine starts it again whenever it ends. */
export class Service extends Workload {
  /** Whether a construct is a service, also one of another copy of this package. */
  static isService(construct: IConstruct): construct is Service {
    return SERVICE in construct;
  }

  /** How the engine finds out whether it can do its work. */
  readonly healthCheck: HealthCheck;
  /** Seconds between the request to stop and the kill. */
  readonly stopGraceSeconds: number;
  /** Signal that asks the process to end; undefined for the image's. */
  readonly stopSignal: string | undefined;
  /** When the engine starts it again. */
  readonly restart: RestartPolicy;
  /** Seconds that a deploy waits at most; undefined when it does not. */
  readonly deployWaitSeconds: number | undefined;
  readonly #published: PublishedPort[] = [];

  constructor(scope: Construct, id: string, props: ServiceProps) {
    super(scope, id, props);
    Object.defineProperty(this, SERVICE, { value: true });
    this.healthCheck = props.healthCheck;
    this.stopGraceSeconds = props.stopGraceSeconds ?? 10;
    this.stopSignal = props.stopSignal;
    this.restart = props.restart ?? 'unless-stopped';
    this.deployWaitSeconds = props.deployWaitSeconds;
  }

  /**
   * Lead a port of the host to one of this service's endpoints.
   *
   * @param on port of the host, 1 to 65535, the address of the host that it binds (127.0.0.1 for the host alone), and why
   * other machines may reach it
   * @throws RagdockError MODEL_INVALID when the endpoint is another service's, or published already
   */
  publish(endpoint: Endpoint, on: Omit<PublishedPort, 'endpoint'>): void {
    if (endpoint.owner !== this) {
      throw modelError(
        this,
        `${endpoint.owner.node.id}.${endpoint.name} is not an endpoint of this service`,
        'publish an endpoint on the service that exposes it',
      );
    }
    if (this.#published.some((other) => other.endpoint === endpoint)) {
      throw modelError(this, `the endpoint ${endpoint.name} is published twice`, 'publish it once');
    }
    this.#published.push({ endpoint, port: on.port, address: on.address, acknowledge: on.acknowledge });
  }

  /** A copy; change it with `publish`. */
  get published(): readonly PublishedPort[] {
    return [...this.#published];
  }
}
