import type Docker from 'dockerode';
import type { Environment } from '../../config/environment.js';
import type { Diagnosis } from '../smoke/report.js';
import { collectEvidence } from './collect.js';
import { diagnose } from './diagnose.js';
import { firstDiagnosis } from './first-diagnosis.js';
import { unknownSecrets } from './unknown-secrets.js';

export interface DiagnoseRequest {
  readonly docker: Docker;
  readonly environment: Environment;
  /** Folder of the project. */
  readonly project: string;
  /** Values that must be in no diagnosis, as far as this machine knows them. */
  readonly secrets: readonly string[];
}

/** What the doctor says first of each service that failed; nothing of one that it finds nothing wrong with. */
export async function diagnoseServices(
  { docker, environment, project, secrets }: DiagnoseRequest,
  services: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Diagnosis>> {
  const unknown = unknownSecrets(environment, project);
  const options = { secrets, unknownSecrets: unknown, signal, project };
  const findings = diagnose(await collectEvidence(docker, environment, options));
  return new Map(
    services.flatMap((service) => {
      const first = firstDiagnosis(findings, service);
      if (!first) return [];
      const { id, meaning, remedy } = first;
      return [[service, { id, meaning, remedy }] as const];
    }),
  );
}
