import type { IConstruct } from 'constructs';
import type { FailureCode } from '../../src/errors/catalogue.js';
import { RagdockError } from '../../src/errors/problem.js';

/** A contradiction inside the model, named by the path of the construct that holds it. */
export function modelError(
  scope: IConstruct,
  message: string,
  remedy: string,
  code: Extract<FailureCode, 'MODEL_INVALID' | 'ENGINE_UNSUPPORTED'> = 'MODEL_INVALID',
): RagdockError {
  return new RagdockError({ code, path: scope.node.path.split('/').join('.'), message, remedy });
}
