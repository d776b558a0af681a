import type { Construct, IConstruct } from 'constructs';
import type { SecretRef } from './secret.js';
import { Workload, type WorkloadProps } from './workload.js';

const JOB = Symbol.for('ragdock.Job');

/**
 * A container that runs once for each set of inputs: image, command, environment, files, versions of secrets. It has
 * to be idempotent, and to retry by itself what may pass (a server that still starts), because a failed job stops the
 * deploy until its inputs change or its container is removed.
 */
export class Job extends Workload {
  /** Whether a construct is a job, also one of another copy of this package. */
  static isJob(construct: IConstruct): construct is Job {
    return JOB in construct;
  }

  readonly #opened = new Map<string, SecretRef>();

  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id, props);
    Object.defineProperty(this, JOB, { value: true });
  }

  /** Say that a version of a secret opens nothing before this job ran: its other readers get the file after that. */
  opens(secret: SecretRef): void {
    this.#opened.set(secret.name, secret);
  }

  /** Secrets whose versions open nothing before this job ran. A copy; change it with `opens`. */
  get opened(): readonly SecretRef[] {
    return [...this.#opened.values()];
  }
}
