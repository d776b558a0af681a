import { createServer } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { changes } from '../deploy/support/list/changes.js';
import { destroyAndAgain } from '../deploy/support/list/destroy-and-again.js';
import { extraService } from '../deploy/support/list/extra-service.js';
import { fromNothing } from '../deploy/support/list/from-nothing.js';
import { healing } from '../deploy/support/list/healing.js';
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

test('a service reaches the host from no closed network', async () => {
  const listener = createServer((socket) => socket.end('reached')).listen(0, '0.0.0.0');
  onTestFinished(() => void listener.close());
  await new Promise((resolve) => listener.once('listening', resolve));
  const { port } = listener.address() as { port: number };
  /** What a service gets from the host's address on a network. */
  const answerTo = async (service: string, name: string): Promise<string> => {
    const network = await engine.docker.getNetwork(name).inspect();
    const gateway = network.IPAM?.Config?.[0]?.Gateway;
    expect(gateway, name).toMatch(/^10\./);
    return engine.execIn(service, [
      'node',
      '-e',
      `require('net').connect({ host: '${gateway}', port: ${port}, timeout: 3000 })
        .on('data', (said) => { console.log(String(said)); process.exit() })
        .on('timeout', () => { console.log('timeout'); process.exit() })
        .on('error', (error) => console.log(error.code))`,
    ]);
  };
  const { NetworkSettings } = await engine.containerOf('rag-api').inspect();
  const names = Object.keys(NetworkSettings.Networks);

  expect(names.length).toBeGreaterThan(3);
  for (const name of names) expect(await answerTo('rag-api', name), name).not.toContain('reached');
  // Where a port is published the host has to be there.
  expect(await answerTo('web-bot', 'dev-web-bot--published')).toContain('reached');
});

changes(dev);
healing(dev);
secretsStayInTheirFiles(dev);
smokeIsGreen(dev);
smokeIsRed(dev);
statusAndLogs(dev);
destroyAndAgain(dev);
extraService(dev);
