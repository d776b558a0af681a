import { expect, inject, test } from 'vitest';
import { changes } from '../deploy/support/list/changes.js';
import { databaseIsClosed } from '../deploy/support/list/database.js';
import { destroyAndAgain } from '../deploy/support/list/destroy-and-again.js';
import { extraService } from '../deploy/support/list/extra-service.js';
import { fromNothing } from '../deploy/support/list/from-nothing.js';
import { hardened } from '../deploy/support/list/hardening.js';
import { healing } from '../deploy/support/list/healing.js';
import { isolated } from '../deploy/support/list/isolation.js';
import { engineRestart, secondPlan } from '../deploy/support/list/second-plan.js';
import { secretsStayInTheirFiles } from '../deploy/support/list/secrets.js';
import { smokeIsGreen, smokeIsRed } from '../deploy/support/list/smoke.js';
import { statusAndLogs } from '../deploy/support/list/status-and-logs.js';
import { hostScript } from '../deploy/support/project.js';
import { devOn } from './support/dev-on.js';

const dev = devOn(inject('socket'), inject('project'), inject('modelFile'));
const { engine } = dev;

test('the engine is not the test host’s own', async () => {
  const { ApiVersion } = await engine.docker.version();

  expect(Number(ApiVersion.split('.')[1])).toBeGreaterThan(50);
});

fromNothing(dev);
secondPlan(dev);
engineRestart(dev, () => {
  hostScript('daemon', 'restart');
});

hardened(dev);
isolated(dev);
databaseIsClosed(dev);
changes(dev);
healing(dev);
secretsStayInTheirFiles(dev);
smokeIsGreen(dev);
smokeIsRed(dev);
statusAndLogs(dev);
destroyAndAgain(dev);
extraService(dev);
