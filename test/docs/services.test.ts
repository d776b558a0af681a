import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { memory } from '../../config/fields.js';
import { ExternalServer, Service } from '../../constructs/model/index.js';
import * as constructs from '../../constructs/services/index.js';
import { AGENT_EXPORTER_METRICS, RAG_API_METRICS } from '../../dashboards/metrics.js';
import { PROBLEMS } from '../../src/apps/rag-api/problems.js';
import { FAILURES } from '../../src/apps/web-bot/failures.js';
import { DEFAULT_LIMITS } from '../../src/apps/web-bot/limits.js';
import type { Resource } from '../support/synth.js';
import { DEV, devWith, type Stack } from './support/dev.js';
import { anchors, codeIn, fences, readPage, tables } from './support/markdown.js';

const servicePage = (name: string) => readPage(`docs/services/${name}.md`);

const kebab = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

test('every construct has its page, and the index knows it', () => {
  const classes = Object.entries(constructs).filter(([name]) => /^[A-Z]/.test(name));
  const index = tables(servicePage('README'))[0] ?? [];
  const pageOf = new Map(index.flatMap(([link, names]) => names?.code.map((name) => [name, link?.links[0]]) ?? []));
  expect([...pageOf.keys()].sort()).toEqual(classes.map(([name]) => name).sort());
  for (const [name, { prototype }] of classes) {
    if (prototype instanceof ExternalServer) {
      expect(pageOf.get(name)).toBe('../external-services.md');
      continue;
    }
    const isService = prototype instanceof Service;
    expect(pageOf.get(name)).toBe(isService ? `${kebab(name)}.md` : 'setup-jobs.md');
    if (!isService) expect(anchors(servicePage('setup-jobs'))).toContain(name.toLowerCase());
  }
});

const PROMETHEUS_CONFIG = '/ragdock/etc-prometheus/prometheus.yml';

/** The stack that the page of extra services shows. */
const WITH_EXTRA = devWith(parse(fences(servicePage('extra-service'), 'yaml')[0] ?? ''));

/** The stack with vLLM in the place of llama.cpp. */
const WITH_VLLM = devWith({
  services: {
    llm: { main: { engine: 'vllm', model: { name: 'owner/model' }, maxModelLen: 4096 } },
  },
});

/** The stack with everything that watches it. */
const WATCHED = devWith({
  services: {
    prometheus: { alerts: true },
    agentExporter: { enabled: true },
    postgresExporter: { enabled: true },
    alertmanager: { enabled: true },
    grafana: { enabled: true },
    dcgmExporter: { enabled: true },
    embeddings: { enabled: true },
  },
});

/** The stack with a database that somebody else runs. */
const WITH_DATABASE_ELSEWHERE = devWith({
  services: { postgres: { external: { url: 'postgresql://rag_api@db.example/ml_db' } } },
});

/** Page, and the workload that it describes. */
const SERVICES: readonly (readonly [string, string, Stack])[] = [
  ['postgres', 'postgres', DEV],
  ['qdrant', 'qdrant', DEV],
  ['llama-cpp-server', 'llm-main', DEV],
  ['vllm-server', 'llm-main', WITH_VLLM],
  ['embedding-server', 'embeddings', WATCHED],
  ['rag-api', 'rag-api', DEV],
  ['web-bot', 'web-bot', DEV],
  ['prometheus', 'prometheus', DEV],
  ['node-exporter', 'node-exporter', DEV],
  ['dcgm-exporter', 'dcgm-exporter', WATCHED],
  ['agent-exporter', 'agent-exporter', WATCHED],
  ['postgres-exporter', 'postgres-exporter', WATCHED],
  ['alertmanager', 'alertmanager', WATCHED],
  ['grafana', 'grafana', WATCHED],
  ['extra-service', 'report', WITH_EXTRA],
];

/** Heading on the page of the setup jobs, and the job that it describes. */
const JOBS = [
  ['PostgresRoles', 'postgres-roles', DEV],
  ['PostgresLogins', 'postgres-logins', DEV],
  ['PostgresMigrations', 'postgres-roles', WITH_DATABASE_ELSEWHERE],
  ['QdrantCollections', 'qdrant-collections', DEV],
  ['HuggingFaceModel', 'llm-main-model', WITH_VLLM],
  ['GrafanaAdmin', 'grafana-admin', WATCHED],
  ['VolumeOwnership', 'postgres-ownership', DEV],
] as const;

/** The table of facts about a container, by what its first column says. */
function factsOf(page: string, heading = '') {
  const facts = new Map(tables(servicePage(page), heading || undefined)[0]?.map(([key, value]) => [key?.text, value]));
  return {
    text: (key: string): string => facts.get(key)?.text ?? '',
    code: (key: string): readonly string[] => facts.get(key)?.code ?? [],
  };
}

test.each([
  ...SERVICES.map(([page, id, stack]) => [page, '', id, stack] as const),
  ...JOBS.map(([heading, id, stack]) => ['setup-jobs', heading, id, stack] as const),
])('%s %s: user, memory, secrets, time to stop, exceptions', (page, heading, id, stack) => {
  const { text, code } = factsOf(page, heading);
  const container = stack.container(id);
  const workload = stack.workloads.get(id);
  expect(code('User')).toEqual([container.user]);
  expect(memory.decode(code('Memory')[0] ?? '')).toBe(container.memory);
  expect(text('Stop')).toMatch(new RegExp(`^${container.stop_timeout} s`));
  if (page === 'extra-service') return;
  expect(code('Secrets')).toEqual(workload?.secrets.map((secret) => secret.name));
  expect(text('Exceptions') === 'none').toBe(workload?.relaxReason === undefined);
});

test.each(SERVICES.slice(0, -1))('%s: endpoints, data, writable folders, health check', (page, id, stack) => {
  const { text, code } = factsOf(page);
  const service = stack.workloads.get(id) as Service;
  for (const { port } of service.endpoints) expect(text('Endpoints')).toContain(String(port));
  expect(code('Data').filter((name) => name.startsWith('dev-'))).toEqual(
    service.dataVolumes.map((volume) => volume.name ?? `dev-${volume.id}`),
  );
  for (const { path } of service.tmpfs) expect(code('Writable')).toContain(path);
  const start = /start period (\d+) s/.exec(text('Health'))?.[1] ?? '30';
  expect(service.healthCheck.startPeriodSeconds ?? 30).toBe(Number(start));
  const wait = /waits for it, (\d+) s/.exec(text('Health'))?.[1];
  expect(wait).toBe(service.deployWaitSeconds?.toString());
});

describe.each(SERVICES)('%s: what a connection gives you', (page, id, stack) => {
  const rows = tables(servicePage(page), 'What a connection gives you')[0] ?? [];

  test('is what the clients get', () => {
    for (const [client, variable, value, network] of rows) {
      const { env, networks_advanced: joined } = stack.container(client?.text ?? '');
      if (/^[A-Z_]+$/.test(variable?.text ?? '')) expect(env).toContain(`${variable?.text}=${value?.text}`);
      else expect(stack.files('prometheus_files')[PROMETHEUS_CONFIG]).toContain(value?.text);
      const [networkId] = Object.entries(stack.networks).find(([, { name }]) => name === network?.text) ?? [];
      expect(joined).toContainEqual({ name: `\${docker_network.${networkId}.id}` });
    }
  });

  test('lists every client', () => {
    const isExtra = page === 'extra-service';
    const networks = Object.keys(stack.networks).filter((network) =>
      isExtra ? network.startsWith(`${id}--`) && !network.endsWith('--published') : network.endsWith(`--${id}`),
    );
    const listed = new Set(rows.map(([, , , network]) => network?.text));
    expect([...listed].sort()).toEqual(networks.map((network) => `dev-${network}`).sort());
  });
});

test('prometheus.md lists the scrape jobs', () => {
  const { scrape_configs: jobs } = parse(DEV.files('prometheus_files')[PROMETHEUS_CONFIG] ?? '');
  const listed = tables(servicePage('prometheus'), 'What it scrapes')[0]?.map((row) => row.map(({ text }) => text));
  expect(listed?.sort()).toEqual(
    jobs
      .map(({ job_name, static_configs, authorization }: Resource) => [
        job_name,
        static_configs[0].targets[0],
        authorization?.credentials_file ?? '',
      ])
      .sort(),
  );
});

test('rag-api.md lists every problem and every metric', () => {
  const [problems] = tables(servicePage('rag-api'), 'Problems');
  expect(problems?.map((row) => row.map(({ text }) => text)).sort()).toEqual(
    Object.entries(PROBLEMS)
      .map(([code, { status, title }]) => [code, String(status), title])
      .sort(),
  );
  const [, metrics] = tables(servicePage('rag-api'), 'Other addresses');
  expect(metrics?.map(([name]) => name?.text)).toEqual(Object.values(RAG_API_METRICS).map(({ name }) => name));
});

test('agent-exporter.md lists every metric with its type', () => {
  const [metrics] = tables(servicePage('agent-exporter'), 'What it measures');
  expect(metrics?.map(([name, type]) => [name?.text, type?.text])).toEqual(
    Object.values(AGENT_EXPORTER_METRICS).map(({ name, type }) => [name, type]),
  );
});

test('web-bot.md lists the codes with which the bot refuses a question', () => {
  const refusals = Object.entries(FAILURES).filter(([code, { reason }]) => reason === 'refused' && !/^api_/.test(code));
  const named = codeIn(servicePage('web-bot').tokens);
  expect(refusals.map(([code]) => code).filter((code) => !named.includes(code))).toEqual([]);
});

test('web-bot.md says how long answers in flight have when the bot stops', () => {
  const stop = tables(servicePage('web-bot'))[0]?.find(([name]) => name?.text === 'Stop');
  expect(stop?.[1]?.text).toContain(`get ${DEFAULT_LIMITS.drainMs / 1000} s of them`);
});
