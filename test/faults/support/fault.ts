import type { Deployment } from '../../deploy/support/deployment.js';

/** Takes a fault away again. */
export type Undo = () => Promise<unknown>;

/** One way to break a deployed stack, for real. */
export interface Fault {
  /** What is broken, in a few words; unique. */
  readonly name: string;
  readonly deployment: Deployment;
  /** Breaks it. What comes back mends it, also when smoke was wrong about it. */
  readonly breaks: () => Promise<Undo>;
  /** A look at the thing itself, past ragdock: false on the healthy stack, true once the fault has taken effect. */
  readonly isBroken: () => Promise<boolean>;
  readonly expects: {
    /** Service that every root failure of the report has to name. */
    readonly service: string;
    /** Check that has to be among them. @default - any */
    readonly check?: string;
    /** What the doctor has to find first of that service. @default - it is not asked */
    readonly finding?: string;
  };
  /** `--timeout` of the smoke tests, in seconds, where they wait for what does not come. @default 180 */
  readonly timeoutSeconds?: number;
}
