/** One stored value: a secret and its version. */
export interface StoredSecret {
  readonly name: string;
  /** From 1 on. */
  readonly version: number;
}

/** Where an environment's secret values are kept. A value leaves a store as a file of a service, or not at all. */
export interface SecretStore {
  /** The stored bytes as text; undefined when there is none. */
  read(name: string, version: number): string | undefined;

  /**
   * Keep a value.
   *
   * @param replace whether a value that is there already is replaced. @default false
   * @returns whether the value was kept; false: there is one already
   */
  write(name: string, version: number, value: string, replace?: boolean): boolean;

  /** Every stored value, sorted by name and version. */
  list(): readonly StoredSecret[];

  /** Forget a value, if there is one. */
  remove(name: string, version: number): void;

  /** Absolute path of the file with the value, whether it exists or not. */
  path(name: string, version: number): string;
}
