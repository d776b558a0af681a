import { afterAll, beforeAll, describe } from 'vitest';
import { partOf } from '../support/part.js';
import { DEV_DRILLS, dev, prepareDev } from './support/dev.js';
import { rotates } from './support/drill.js';
import { prepareSaiga, SAIGA_DRILLS, saiga } from './support/saiga.js';
import { bringUp, targetOf } from './support/stack.js';

// Every secret is rotated while questions are asked. `RAGDOCK_PART=2/3` takes the second of three parts of the list.

const drills = partOf([...DEV_DRILLS, ...SAIGA_DRILLS]);

for (const [deployment, prepare, apiPort] of [
  [dev, prepareDev, 8093],
  [saiga, prepareSaiga, 8000],
] as const) {
  const own = drills.filter((drill) => drill.deployment === deployment);
  if (own.length === 0) continue;
  describe(`the secrets of ${deployment.name}`, () => {
    beforeAll(async () => {
      prepare();
      await bringUp(deployment, { apiPort, keyOverlapSeconds: 30, sessionSeconds: 120 });
    });
    afterAll(() => process.env.RAGDOCK_KEEP_STACK || deployment.project.destroy());

    for (const drill of own) rotates(drill, () => targetOf(deployment, apiPort));
  });
}
