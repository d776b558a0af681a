import { inject } from 'vitest';
import { changes } from './support/list/changes.js';
import { destroyAndAgain } from './support/list/destroy-and-again.js';
import { fromNothing } from './support/list/from-nothing.js';
import { healing } from './support/list/healing.js';
import { secondPlan } from './support/list/second-plan.js';
import { secretsStayInTheirFiles } from './support/list/secrets.js';
import { smokeIsGreen, smokeIsRed } from './support/list/smoke.js';
import { statusAndLogs } from './support/list/status-and-logs.js';
import { prodIn } from './support/stacks.js';

// What we would run today, beside dev and saiga. Graphics cards are handed out by device requests.

const prod = prodIn(inject('project'));

fromNothing(prod);
secondPlan(prod);
changes(prod);
healing(prod, ['alertmanager', 'llm-main', 'postgres-exporter', 'rag-api']);
secretsStayInTheirFiles(prod);
smokeIsGreen(prod);
smokeIsRed(prod);
statusAndLogs(prod);
destroyAndAgain(prod);
