import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { editorSchema } from '../config/json-schema.js';
import { configurationPage } from '../config/reference.js';
import { apiPages } from './api-docs/pages.js';
import { describedApi } from './api-docs/rag-api.js';
import { commandsPage } from './cli/reference.js';
import { doctorPage } from './doctor/page.js';
import { doctorReportSchema } from './doctor/report.js';
import { errorsPage } from './errors/documentation.js';
import { hardeningPage } from './hardening/page.js';
import { secretsPage } from './secrets/documentation.js';
import { smokeReportSchema } from './smoke/report.js';
import { statusReportSchema } from './status/report.js';
import { vllmFlagTable } from './vllm-flags.js';

/** A committed file that follows from the sources: its path from the project's folder, and what is in it. */
export interface Generated {
  readonly file: string;
  readonly content: () => string;
}

/** Every generated file. The content depends on the sources alone: no time, no machine, no locale. */
export const GENERATED: readonly Generated[] = [
  { file: 'config/schema.json', content: editorSchema },
  { file: 'docs/errors.md', content: errorsPage },
  { file: 'docs/configuration.md', content: configurationPage },
  { file: 'docs/commands.md', content: commandsPage },
  { file: 'docs/secrets.md', content: secretsPage },
  { file: 'docs/hardening.md', content: hardeningPage },
  { file: 'docs/doctor.md', content: doctorPage },
  { file: 'docs/doctor.schema.json', content: doctorReportSchema },
  { file: 'docs/rag-api.openapi.json', content: describedApi },
  { file: 'docs/smoke.schema.json', content: smokeReportSchema },
  { file: 'docs/status.schema.json', content: statusReportSchema },
  { file: 'constructs/services/vllm/flag-table.ts', content: vllmFlagTable },
  ...apiPages.map(({ page, content }) => ({ file: `docs/api/${page}`, content })),
];

const PROJECT = new URL('../', import.meta.url);

/** The absolute path of a generated file. */
export const pathOf = ({ file }: Generated): string => fileURLToPath(new URL(file, PROJECT));

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const generated of GENERATED) {
    mkdirSync(dirname(pathOf(generated)), { recursive: true });
    writeFileSync(pathOf(generated), generated.content());
    process.stdout.write(`${generated.file}\n`);
  }
}
