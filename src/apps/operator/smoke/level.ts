/**
 * How far a run goes; each level includes those before it. `up`: containers are healthy and endpoints answer;
 * `service`: each service does by its own protocol what it is there for; `path`: one document and one question go
 * through all of them.
 */
export const SMOKE_LEVELS = ['up', 'service', 'path'] as const;
export type SmokeLevel = (typeof SMOKE_LEVELS)[number];

/** Whether a run that goes as far as `asked` includes what is of `level`. */
export const reaches = (asked: SmokeLevel, level: SmokeLevel): boolean =>
  SMOKE_LEVELS.indexOf(asked) >= SMOKE_LEVELS.indexOf(level);
