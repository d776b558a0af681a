import type { Construct, IConstruct } from 'constructs';
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

  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id, props);
    Object.defineProperty(this, JOB, { value: true });
  }
}
