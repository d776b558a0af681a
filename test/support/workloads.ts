import type { Construct } from 'constructs';
import { Job, Service, type ServiceProps, type WorkloadProps } from '../../constructs/model/index.js';
import { type Problem, RagdockError } from '../../src/errors/problem.js';

/** A service of which a test says only what matters to it. */
export function aService(scope: Construct, id: string, props: Partial<ServiceProps> = {}): Service {
  return new Service(scope, id, { ...ANY, healthCheck: { command: ['true'] }, ...props });
}

export function aJob(scope: Construct, id: string, props: Partial<WorkloadProps> = {}): Job {
  return new Job(scope, id, { ...ANY, ...props });
}

const ANY = { image: { reference: 'any:1' }, user: { uid: 1, gid: 1 }, memoryMiB: 8 } as const;

/** The one problem with which `work` fails. */
export function failureOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RagdockError)) throw error;
    if (error.problems.length > 1)
      throw new Error(`expected one problem, got ${error.problems.length}`, { cause: error });
    return error.problems[0];
  }
  throw new Error('nothing failed');
}
