import type { Problem } from '../errors/problem.js';
import type { ContainerFacts } from '../smoke/containers.js';
import type { StatusReport } from '../status/report.js';
import type { Writer } from './log-causes.js';

/** All that the rules of the doctor judge by. Every text in it is masked. */
export interface Evidence {
  readonly environment: string;
  /** Address of the engine. */
  readonly address: string;
  /** Where the lock file does not fit the environment file. */
  readonly lock: readonly Problem[];
  /** Why the engine cannot be asked. @default - it was asked */
  readonly unreachable?: Unreachable;
  /** What the engine told. @default - nothing: it cannot be reached, or no lock file fits the environment */
  readonly seen?: SeenStack;
}

/** An engine that cannot be asked. */
export interface Unreachable {
  /** What the connection, ssh or the name server said. */
  readonly evidence: readonly string[];
  readonly meaning: string;
  readonly remedy: string;
}

/** What an engine tells of an environment, and this machine of its files. */
export interface SeenStack {
  readonly engine: SeenEngine;
  readonly workloads: readonly SeenWorkload[];
  readonly volumes: readonly SeenVolume[];
  readonly networks: readonly SeenNetwork[];
  readonly ports: readonly SeenPort[];
  /** Names of sessions' containers past their deadline. */
  readonly sessions: readonly string[];
  /** Terraform's state. @default - it is elsewhere, or there is none */
  readonly state?: SeenState | undefined;
  readonly status: StatusReport;
}

/** One line of a log. */
export interface SeenLine {
  /** When, in milliseconds since 1970 by the engine's clock; NaN where the engine did not say. */
  readonly at: number;
  readonly text: string;
}

/** What was seen of one service or job. */
export interface SeenWorkload {
  readonly id: string;
  readonly container: string;
  readonly isJob: boolean;
  /** Whether a container of somebody else has its name. */
  readonly nameTaken: boolean;
  /** What the engine says of its container. @default - there is none of this environment */
  readonly facts: ContainerFacts | undefined;
  /** Lines of its log, oldest first: since its last start, and of the runs before where it was started again. */
  readonly log: readonly SeenLine[];
  /** Names of secrets that it holds and this machine does not know: what it wrote may hold them. @default - none */
  readonly unmaskable?: readonly string[] | undefined;
  /** Whose words its log is read for. @default - none are known */
  readonly writer: Writer | undefined;
  /** Container of the job that gives its volumes to its user, or its own, where it is that job. @default - none */
  readonly ownershipJob?: string | undefined;
  /** Container of the job that downloads its model. @default - none */
  readonly modelJob?: string | undefined;
  /** Its model, where that is in a folder of the host. @default - it is not */
  readonly hostModel?: SeenHostModel | undefined;
  /** Ids of the services that it asks. */
  readonly servers: readonly string[];
  /** Whether its health check fails where one of them does not answer. */
  readonly probesServers: boolean;
  /** Whether it asks for graphics cards by the container runtime `nvidia`. */
  readonly wantsNvidiaRuntime: boolean;
  /** Name of the container that carries its files. @default - it has none */
  readonly filesContainer?: string | undefined;
  /** Whether that container is there. */
  readonly filesContainerPresent: boolean;
  /** Whether a variable of its container closes Qdrant's collections. */
  readonly recoveryModeSet: boolean;
  /** Restart policy, where it is another one than a deploy gives. @default - it is the same */
  readonly restart?: { readonly runs: string; readonly wanted: string } | undefined;
}

/** A folder of the host that a server reads its model from. */
export interface SeenHostModel {
  /** Path on the host. */
  readonly folder: string;
  /** Path in the container. */
  readonly path: string;
  /** User that the server runs as. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/** What was seen of an engine and the machine under it. */
export interface SeenEngine {
  /** Version of the engine, such as `20.10.24`. */
  readonly version: string;
  /** Version of its API, such as `1.41`. */
  readonly apiVersion: string;
  /** Names of its container runtimes. */
  readonly runtimes: readonly string[];
  /** By its clock, in milliseconds since 1970. */
  readonly now: number;
  /** The disk of its data. @default - it is on another machine, or cannot be seen */
  readonly disk?: SeenDisk | undefined;
  /** Networks that its default address pools have room for, and how many of them are used. */
  readonly pools: { readonly capacity: number; readonly used: number };
  /** What else `docker info` says that a remote reader may want to know. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Room of a file system, in bytes. */
export interface SeenDisk {
  /** What is on it: a folder, or a volume. */
  readonly name: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What was seen of a data volume that the engine has. */
export interface SeenVolume {
  readonly name: string;
  /** Id of the service whose data it is. */
  readonly service: string;
  /** `uid:gid` that has to own it. @default - nobody in particular */
  readonly wantedOwner?: string | undefined;
  /** Folders and files at its top that belong to somebody else, with who: `pgdata: 0:0`. */
  readonly foreign: readonly string[];
  /** Its own file system. @default - it is on the engine's, or cannot be seen */
  readonly disk?: SeenDisk | undefined;
}

/** A network that the engine lacks, and who has its addresses. */
export interface SeenNetwork {
  readonly name: string;
  readonly subnet: string;
  /** Network of somebody else with the same addresses, and its own: `other_default, 10.231.0.0/24`. */
  readonly takenBy?: { readonly name: string; readonly subnet: string } | undefined;
}

/** A port of the host that the environment publishes, and that somebody else has. */
export interface SeenPort {
  readonly port: number;
  /** Id of the service that publishes it. */
  readonly service: string;
  /** Who has it: `the container other-web`, `the process nginx (1234)`. */
  readonly holder: string;
  /** Where that is seen. */
  readonly evidence: string;
  /** Command that ends the holder. */
  readonly stop: string;
}

/** What Terraform's state says of containers. */
export interface SeenState {
  readonly file: string;
  /** Why the file is no state. @default - it is one */
  readonly damage?: string;
  /** Containers whose id on the engine is another one than in the state, or that are not in it: what each has. */
  readonly differing: readonly { readonly container: string; readonly state?: string; readonly engine: string }[];
  /** Names of containers that a deploy made and was not done with. */
  readonly tainted: readonly string[];
}
