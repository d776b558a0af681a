import { inVolume } from '../../deploy/support/in-volume.js';
import { overwriteSecret } from '../../deploy/support/overwrite-secret.js';
import { askFrom, askQdrant, isReady } from '../support/ask.js';
import { inPlaceOf, inspect, isLooping, restart } from '../support/changes.js';
import type { Fault } from '../support/fault.js';
import { dev, prod } from '../support/stacks.js';

const ANOTHER = 'another-value-of-some-length';
const GRAFANA_PASSWORD = 'grafana-admin-password.v1';

/** A file of a service has another value than it should, and the service is started anew to take it. */
async function withAnother(
  service: string,
  file: string,
  value: string,
  deployment = dev,
): Promise<() => Promise<void>> {
  const restore = await overwriteSecret(deployment.engine, file, value, service);
  await restart(deployment, service);
  return async () => {
    await restore();
    await restart(deployment, service);
  };
}

export const CREDENTIAL_FAULTS: readonly Fault[] = [
  {
    name: 'the API has a wrong key for Qdrant',
    deployment: dev,
    breaks: () => withAnother('rag-api', 'qdrant-api-key.v1', ANOTHER),
    isBroken: async () => (await askQdrant(dev, '/collections')).status === 401,
    expects: { service: 'rag-api', check: 'ready' },
    timeoutSeconds: 60,
  },
  {
    name: 'the API has a wrong key for the model',
    deployment: dev,
    breaks: () => withAnother('rag-api', 'llm-main-api-key.v1', ANOTHER),
    isBroken: async () => !(await isReady(dev)),
    expects: { service: 'rag-api', check: 'ready' },
    timeoutSeconds: 60,
  },
  {
    name: 'Qdrant runs with another key than its file has',
    deployment: dev,
    breaks: () => overwriteSecret(dev.engine, 'qdrant-api-key.v1', ANOTHER, 'qdrant'),
    isBroken: async () => {
      const { HostConfig } = await inspect(dev, 'qdrant');
      const script = `test "$(cat /run/secrets/qdrant-api-key.v1)" = ${ANOTHER} && echo yes || echo no`;
      return HostConfig !== undefined && (await dev.engine.execIn('qdrant', ['sh', '-c', script])).trim() === 'yes';
    },
    expects: { service: 'qdrant', check: 'ready' },
  },
  {
    name: 'Qdrant answers without a key',
    deployment: dev,
    breaks: () =>
      inPlaceOf(dev, 'qdrant', ({ Config }) => ({
        Entrypoint: [Config.Entrypoint]
          .flat()
          .map((part) => (part ?? '').replace('export QDRANT__SERVICE__API_KEY', 'unset QDRANT__SERVICE__API_KEY')),
      })),
    isBroken: async () => {
      const url = `http://${dev.engine.nameOf('qdrant')}:6333/collections`;
      return (await askFrom(dev, 'rag-api', { url })).status === 200;
    },
    expects: { service: 'qdrant', check: 'refuses without key' },
  },
  {
    name: 'PostgreSQL has another password for the API',
    deployment: dev,
    breaks: async () => {
      const role = 'rag_api_1';
      const was = await dev.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
      await dev.sql(`ALTER ROLE ${role} PASSWORD '${ANOTHER}'`);
      return async () => {
        await dev.sql(`ALTER ROLE ${role} PASSWORD '${was}'`);
      };
    },
    isBroken: async () => {
      // From the API's network, the only one from which the role may log in.
      const { Networks } = (await inspect(dev, 'postgres')).NetworkSettings;
      const address = Networks[`${dev.name}-rag-api--postgres`]?.IPAddress;
      const script = `PGPASSWORD=${ANOTHER} psql -w -h ${address} -U rag_api_1 -d ml_db -tAc 'SELECT 1'`;
      const output = await dev.engine.execIn('postgres', ['sh', '-c', `${script} 2>&1 || true`]);
      return output.trim() === '1';
    },
    expects: { service: 'postgres', check: 'ready' },
  },
  {
    name: 'the model server’s key file is empty',
    deployment: dev,
    breaks: () => withAnother('llm-main', 'llm-main-api-key.v1', ''),
    isBroken: () => isLooping(dev, 'llm-main'),
    expects: { service: 'llm-main', check: 'container', finding: 'crash-loop' },
  },
  {
    name: 'the web bot has a wrong key for the API',
    deployment: dev,
    breaks: () => withAnother('web-bot', 'rag-api-web-bot-key.v1', ANOTHER),
    isBroken: async () => {
      const url = `http://${dev.engine.nameOf('rag-api')}:8000/exchanges/00000000-0000-4000-8000-000000000000`;
      const key = { file: 'rag-api-web-bot-key.v1', header: 'authorization' } as const;
      return (await askFrom(dev, 'web-bot', { url, key })).status === 401;
    },
    expects: { service: 'web-bot' },
  },
];

export const WATCHER_CREDENTIAL_FAULTS: readonly Fault[] = [
  {
    name: 'the exporter of PostgreSQL has a wrong password',
    deployment: prod,
    breaks: () => withAnother('postgres-exporter', 'postgres-postgres-exporter-password.v1', ANOTHER, prod),
    isBroken: async () => (await upOf('pg_up')) === '0',
    expects: { service: 'postgres-exporter', check: 'logs in to PostgreSQL' },
  },
  {
    name: 'the agent exporter has a wrong password',
    deployment: prod,
    breaks: () => withAnother('agent-exporter', 'postgres-agent-exporter-password.v1', ANOTHER, prod),
    isBroken: async () => (await upOf('min(rag_exporter_up)')) === '0',
    expects: { service: 'agent-exporter', check: 'reads its sources' },
  },
  {
    name: 'Grafana’s administrator has another password than its file',
    deployment: prod,
    breaks: async () => {
      const password = await passwordOfGrafana();
      await changePassword(password, ANOTHER);
      return () => changePassword(ANOTHER, password);
    },
    isBroken: async () => (await askGrafana('/api/user', await passwordOfGrafana())).status === 401,
    expects: { service: 'grafana', check: 'takes its password' },
  },
];

/** The password in the file that Grafana was started with. */
async function passwordOfGrafana(): Promise<string> {
  const volume = `${prod.engine.nameOf('grafana-admin')}-secrets`;
  return (await inVolume(prod.engine, volume, `cat /volume/${GRAFANA_PASSWORD}`)).trim();
}

/** A call of Grafana's API at its published port. */
function askGrafana(path: string, password: string, request: RequestInit = {}): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  return fetch(`http://127.0.0.1:3001${path}`, {
    ...request,
    headers: { authorization, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(10_000),
  });
}

async function changePassword(oldPassword: string, newPassword: string): Promise<void> {
  const body = JSON.stringify({ oldPassword, newPassword, confirmNew: newPassword });
  const { status } = await askGrafana('/api/user/password', oldPassword, { method: 'PUT', body });
  if (status !== 200) throw new Error(`Grafana answered ${status} to another password`);
}

/** The last value of a metric, as Prometheus has it. */
async function upOf(query: string): Promise<string | undefined> {
  const { result } = await prod.prometheus<{ result: readonly { readonly value: readonly [number, string] }[] }>(
    `query?query=${encodeURIComponent(query)}`,
  );
  return result[0]?.value[1];
}
