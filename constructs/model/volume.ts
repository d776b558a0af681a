/** A numeric user and group inside a container. */
export interface User {
  /** 0 is root. */
  readonly uid: number;
  /** Its primary group. */
  readonly gid: number;
}

/**
 * Data that outlives everything. A data volume has a fixed name, is made by the engine on first use, and belongs to
 * no plan: nothing that is applied or destroyed can remove it.
 */
export interface DataVolume {
  /** Stable id, unique in the stack, under which the lock file promises the name: `postgres-data`. */
  readonly id: string;
  /** Name in the engine. @default - <environment>-<id> */
  readonly name?: string | undefined;
  /** Where it is mounted; absolute. */
  readonly path: string;
  /** Mounted for reading only. @default false */
  readonly readOnly?: boolean;
  /** Who must own it; a job sees to that before the service starts. @default - whoever the image says */
  readonly owner?: User;
}

/** Writable memory in place of a writable root file system. */
export interface TmpfsMount {
  /** Where it is mounted; absolute. */
  readonly path: string;
  /** Upper bound in MiB; counts towards the container's memory. */
  readonly sizeMiB: number;
  /** Octal mode of the folder. @default '1777' */
  readonly mode?: string;
}

/** A folder of the host. Every one is an exception and carries its reason. */
export interface HostMount {
  /** Absolute path on the host. */
  readonly hostPath: string;
  /** Where it is mounted, for reading only; absolute. */
  readonly path: string;
  /** Why the workload has to see it. */
  readonly reason: string;
}
