import type { ContainerFacts } from '../smoke/containers.js';
import type { StatusReport } from '../status/report.js';
import type { Writer } from './log-causes.js';

/** What was seen of one service or job. */
export interface SeenWorkload {
  /** Its id. */
  readonly id: string;
  readonly container: string;
  readonly isJob: boolean;
  /** What the engine says of its container. @default - there is none */
  readonly facts: ContainerFacts | undefined;
  /** Lines of its log since its last start, oldest first, secrets masked. */
  readonly log: readonly string[];
  /** Whose words its log is read for. @default - none are known */
  readonly writer: Writer | undefined;
  /** Whether it asks for graphics cards by the container runtime `nvidia`. */
  readonly wantsNvidiaRuntime: boolean;
  /** Volumes with files of the stack that it mounts and that the engine no longer has. */
  readonly lostFiles: readonly string[];
}

/** What was seen of an engine. */
export interface SeenEngine {
  /** Version of the engine, such as `20.10.24`. */
  readonly version: string;
  /** Names of its container runtimes. */
  readonly runtimes: readonly string[];
  /** Room on the disk of its data, in bytes. @default - it could not be asked */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  /** Ports of the host that the environment publishes and a container of somebody else holds, by that container. */
  readonly portsTaken: ReadonlyMap<number, string>;
}

/** All that the rules of the doctor judge by. */
export interface Evidence {
  readonly environment: string;
  readonly engine: SeenEngine;
  readonly workloads: readonly SeenWorkload[];
  readonly status: StatusReport;
}
