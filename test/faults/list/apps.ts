import type { Deployment } from '../../deploy/support/deployment.js';
import { inPlaceOf, inspect } from '../support/changes.js';
import type { Fault } from '../support/fault.js';
import { dev } from '../support/stacks.js';

/** Tag of an image with another bundle of the apps than this checkout has. */
const STALE = 'ragdock-apps:stale';

/** Make the image of a bundle that works, and is another one. */
async function makeStale(deployment: Deployment): Promise<string> {
  const { engine } = deployment;
  const { Image, Config } = await inspect(deployment, 'web-bot');
  const container = await engine.docker.createContainer({
    Image,
    User: '0:0',
    Entrypoint: ['sh', '-c', 'echo "// of another day" >> /app/ragdock-apps.mjs'],
  });
  try {
    await container.start();
    const { StatusCode } = await container.wait();
    if (StatusCode !== 0) throw new Error(`the bundle was not changed: ${StatusCode}`);
    const [repo, tag] = STALE.split(':');
    await container.commit({ repo, tag, Entrypoint: Config.Entrypoint, User: Config.User });
  } finally {
    await container.remove({ force: true });
  }
  return STALE;
}

const stale = (service: string): Fault => ({
  name: `${service} runs another bundle than the checkout’s`,
  deployment: dev,
  breaks: async () => {
    const Image = await makeStale(dev);
    const back = await inPlaceOf(dev, service, () => ({ Image }));
    return async () => {
      await back();
      await dev.engine.docker.getImage(STALE).remove({ force: true });
    };
  },
  isBroken: async () => {
    const { Config, State } = await inspect(dev, service);
    return Config.Image === STALE && State.Health?.Status === 'healthy';
  },
  expects: { service, check: 'bundle', finding: 'drifted' },
});

export const APP_FAULTS: readonly Fault[] = [stale('web-bot'), stale('rag-api')];
