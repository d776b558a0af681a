import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../deploy/support/deployment.js';
import { until } from '../../deploy/support/poll.js';
import type { Opens } from './opens.js';

/** Port on which this machine takes alerts. */
const PORT = 8099;

/** Longest that Alertmanager takes from an alert to its message, in seconds: it waits 30 for others of the same name. */
const ALERT_SECONDS = 90;

/** An address of this machine that containers with a way out reach. */
function ownAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
    /^(lo|docker|br-|veth)/.test(name) ? [] : all,
  );
  const found = addresses.find(({ family }) => family === 'IPv4');
  if (!found) throw new Error('this machine has no address of its own');
  return found.address;
}

export const webhookUrl = (): string => `http://${ownAddress()}:${PORT}/alerts`;

/** A message of Alertmanager to a receiver, which takes those that show this version of the token. */
export function opensWebhook(deployment: Deployment): Opens {
  const { engine, project } = deployment;
  return async (version) => {
    const token = readFileSync(join(project.secretsFolder, `alertmanager-webhook-token.v${version}`), 'utf8').trim();
    const alert = `drill-${crypto.randomUUID()}`;
    let shown: string | undefined;
    const receiver = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        if (body.includes(alert)) shown = request.headers.authorization ?? '';
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(PORT, '0.0.0.0', resolve));
    try {
      const alerts = JSON.stringify([{ labels: { alertname: alert } }]);
      await engine.execIn('alertmanager', [
        ...['wget', '-q', '-O', '-', '--header', 'content-type: application/json'],
        ...['--post-data', alerts, 'http://127.0.0.1:9093/api/v2/alerts'],
      ]);
      await until('the alert comes', async () => shown !== undefined, ALERT_SECONDS);
      return shown === `Bearer ${token}`;
    } finally {
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
    }
  };
}
