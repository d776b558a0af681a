/**
 * The name of a secret, never its value. Which version is in force is promised by the environment's lock file; only
 * an engine turns a reference into a file.
 */
export class SecretRef {
  /** @throws TypeError when the name is none: a-z, 0-9 and -, a letter first */
  constructor(
    /** Lower-case name, unique in the environment: `qdrant-api-key`. */
    readonly name: string,
    /** What it opens, in a few words, as `ragdock secrets list` shows it. */
    readonly purpose: string,
    /** `generated`: any strong value will do. `given`: somebody else made it, and it has to be stored by hand. */
    readonly origin: 'generated' | 'given' = 'generated',
    /** What would be lost with a new version, as a sentence without its end. Undefined: nothing. */
    readonly loses?: string | undefined,
  ) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new TypeError(`'${name}' is no name for a secret: a-z, 0-9 and - only`);
  }

  /** References end up in JSON only by mistake: an engine writes paths, nobody writes secrets. */
  toJSON(): never {
    throw new TypeError(`the secret '${this.name}' must not be serialised`);
  }
}
