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
  const { NetworkSettings } = await engine.containerOf('rag-api').inspect();

  for (const name of Object.keys(NetworkSettings.Networks)) {
    const network = await engine.docker.getNetwork(name).inspect();
    const gateway = network.IPAM?.Config?.[0]?.Gateway;
    expect(gateway).toMatch(/^10\./);
    expect(network.Options?.['com.docker.network.bridge.gateway_mode_ipv4'], name).toBe('isolated');
    const attempt = `require('net').connect({ host: '${gateway}', port: ${port}, timeout: 3000 })
      .on('data', (said) => { console.log(String(said)); process.exit() })
      .on('timeout', () => { console.log('timeout'); process.exit() })
      .on('error', (error) => console.log(error.code))`;
    expect(await engine.execIn('rag-api', ['node', '-e', attempt]), name).not.toContain('reached');
  }
});

changes(dev);
healing(dev);
secretsStayInTheirFiles(dev);
smokeIsGreen(dev);
smokeIsRed(dev);
statusAndLogs(dev);
destroyAndAgain(dev);
extraService(dev);
