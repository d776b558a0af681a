/**
 * What every container is unless it says why not. The values follow the container runtime section of the CIS Docker
 * Benchmark: read-only root (5.13), no new privileges (5.26), restricted capabilities (5.4), host namespaces not
 * shared (5.10, 5.16).
 */
export interface Hardening {
  /** The root file system cannot be written to. */
  readonly readOnlyRoot: boolean;
  /** Capabilities given back, without the prefix CAP_: `CHOWN`. All others are dropped. */
  readonly capabilities: readonly string[];
  /** No program gains rights by being started, as with setuid. */
  readonly noNewPrivileges: boolean;
  /** Uses the network of the host instead of networks of its own. */
  readonly hostNetwork: boolean;
  /** Sees the processes of the host. */
  readonly hostPid: boolean;
  /** Shares memory segments and semaphores with the processes of the host. */
  readonly hostIpc: boolean;
  /** Runs as uid 0. */
  readonly root: boolean;
}

/** What a container is when nothing is relaxed. */
export const HARDENED: Hardening = {
  readOnlyRoot: true,
  capabilities: [],
  noNewPrivileges: true,
  hostNetwork: false,
  hostPid: false,
  hostIpc: false,
  root: false,
};

/** Exceptions from `HARDENED`, which one reason covers. */
export interface Relaxation extends Partial<Hardening> {
  /** Why this workload needs it, in at least 8 characters. */
  readonly reason: string;
}
