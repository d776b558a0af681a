import type { Endpoint } from './endpoint.js';
import type { Value } from './value.js';
import type { Workload } from './workload.js';

/** One client that may reach a service, and the network over which it does. */
export interface ClientAddress {
  /** Who connected. */
  readonly client: Workload;
  /** What it was connected to, all of the one service. */
  readonly endpoints: readonly Endpoint[];
  /** In CIDR notation: `10.231.0.8/29`. */
  readonly subnet: string;
}

/** What a file's content may ask of the engine, once every connection is known. */
export interface FileContext {
  /** The text of a value as the file's own service reads it. */
  render(value: Value): string;
  /** Who was connected to the file's own service, sorted by the client's id. */
  clients(): readonly ClientAddress[];
  /**
   * Network of the service's published ports, in CIDR notation. Programs of the host come from its first address;
   * other machines keep their own. Undefined when nothing is published.
   */
  publishedSubnet(): string | undefined;
}

/** A configuration file. It holds no secret: its content is in the plan, for reviewers to read. */
export interface ConfigFile {
  /** Absolute path inside the container. Files of one folder share a read-only volume. */
  readonly path: string;
  /** The text, or what makes it once every connection is known. */
  readonly content: string | ((context: FileContext) => string);
  /**
   * `replace`: a changed content replaces the service. `reload`: the running service sees the new content in place
   * and reloads it by itself. One folder has one answer.
   */
  readonly onChange: 'replace' | 'reload';
}
