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

// What we would run today, beside dev and saiga. Graphics cards are handed out by device requests. dev and saiga go
// through the whole list each time; prod, whose services are the same, does when RAGDOCK_WHOLE_LIST is set.

const prod = prodIn(inject('project'));
const whole = process.env.RAGDOCK_WHOLE_LIST !== undefined;

fromNothing(prod);
secondPlan(prod);
if (whole) {
  changes(prod);
  healing(prod);
}
secretsStayInTheirFiles(prod);
smokeIsGreen(prod);
if (whole) {
  smokeIsRed(prod);
  // After the search for secrets: it writes one into Qdrant's log, to see it masked.
  statusAndLogs(prod);
}
destroyAndAgain(prod);
