import type { Mark, Path } from './located.js';
import type { Lock } from './lock-schema.js';
import type { Settings } from './schema.js';

/** One environment, read and checked: what its YAML wants, and what its lock file promises. */
export interface Environment {
  /** Name of the file without `.yaml`: `dev`. */
  readonly name: string;
  /** Path of the YAML file as problems show it: relative to the project's folder. */
  readonly file: string;
  /** What the YAML says, with every default filled in. */
  readonly settings: Settings;
  /** Absent until `ragdock lock` has run. */
  readonly lock: Lock | undefined;
  /** Where the lock file says something, or the nearest place above it. @default - problems name the file alone */
  readonly lockPlaceOf?: ((path: Path) => Mark) | undefined;
}
