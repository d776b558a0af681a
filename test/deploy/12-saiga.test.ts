import { inject } from 'vitest';
import { canariesStayInTheirFiles } from './support/list/canaries.js';
import { changes } from './support/list/changes.js';
import { databaseIsClosed } from './support/list/database.js';
import { destroyAndAgain } from './support/list/destroy-and-again.js';
import { fromNothing } from './support/list/from-nothing.js';
import { guideExamples } from './support/list/guide-examples.js';
import { hardened } from './support/list/hardening.js';
import { healing } from './support/list/healing.js';
import { isolated } from './support/list/isolation.js';
import { measuredAndLearned } from './support/list/measured-and-learned.js';
import { secondPlan } from './support/list/second-plan.js';
import { secretsStayInTheirFiles } from './support/list/secrets.js';
import { smokeIsGreen, smokeIsRed } from './support/list/smoke.js';
import { statusAndLogs } from './support/list/status-and-logs.js';
import { saigaIn } from './support/stacks.js';

// The services guide's stack, beside dev. Graphics cards are handed out by the runtime `nvidia`.

const saiga = saigaIn(inject('project'));

fromNothing(saiga);
guideExamples(saiga);
hardened(saiga);
isolated(saiga);
databaseIsClosed(saiga);
secondPlan(saiga);
changes(saiga);
healing(saiga, ['agent-exporter', 'dcgm-exporter', 'embeddings', 'grafana', 'llm-saiga', 'postgres', 'qdrant']);
secretsStayInTheirFiles(saiga);
canariesStayInTheirFiles(saiga);
smokeIsGreen(saiga);
smokeIsRed(saiga);
// After the searches for secrets: it writes one into Qdrant's log, to see it masked.
statusAndLogs(saiga);
measuredAndLearned(saiga, 'BD_chat_question', { api: 'http://127.0.0.1:8000', qdrant: 'http://127.0.0.1:6333' });
destroyAndAgain(saiga);
