import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FindingId } from '../../../src/doctor/finding.js';
import type { DoctorFault, DoctorFaultContext } from './doctor-fault.js';
import { KEPT } from './replace.js';

const fileOf = ({ environment, project }: DoctorFaultContext, kind: 'yaml' | 'lock.yaml' | 'tfstate'): string =>
  join(project, kind === 'tfstate' ? 'state' : 'config/environments', `${environment}.${kind}`);

/** A file of the project that says something else. */
export const edited = (
  id: string,
  expects: FindingId,
  kind: Parameters<typeof fileOf>[1],
  change: (text: string) => string,
): DoctorFault => ({
  id,
  expects,
  provoke: async (context) => {
    const file = fileOf(context, kind);
    copyFileSync(file, `${file}${KEPT}`);
    const text = readFileSync(file, 'utf8');
    const other = change(text);
    if (other === text) throw new Error(`${file} has nothing to change`);
    writeFileSync(file, other);
  },
  undo: async (context) => renameSync(`${fileOf(context, kind)}${KEPT}`, fileOf(context, kind)),
});
