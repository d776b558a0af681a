import { RootConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import type { Settings } from '../../config/schema.js';
import { reservedIds, servicesOf } from '../../config/services.js';
import { Service, workloadsOf } from '../../constructs/model/index.js';
import { giveVolumesToTheirOwners } from '../../constructs/services/index.js';
import { promisesOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';
import { MINIMAL, project } from './project.js';

// Rules look at names before the model exists, so they know them by themselves. Here both have to say the same.

const EXTRA = `extraServices:
  web: {image: "web:1", container: named, volumes: [{name: one, path: /a}, {name: two, path: /b}]}
`;
const OBSERVED = `  prometheus: {alerts: true}
  embeddings: {enabled: true}
  dcgmExporter: {enabled: true}
  agentExporter: {enabled: true}
  postgresExporter: {enabled: true}
  alertmanager: {enabled: true}
  grafana: {enabled: true}
`;
const RENAMED = `  postgres: {container: pg, volume: pg-data}
  qdrant: {container: vectors, volume: vectors-data}
  webBot: {container: bot}
  prometheus: {alerts: true, container: prom, volume: prom-data}
  nodeExporter: {container: node}
  agentExporter: {enabled: true, container: agent}
  postgresExporter: {enabled: true, container: pg-node}
  alertmanager: {enabled: true, container: alerts, volume: alerts-data}
  grafana: {enabled: true, container: boards, volume: boards-data}
${EXTRA}`;

function settingsOf(more: string): Settings {
  const yaml = more.startsWith('    ') ? MINIMAL.replace('  api:\n', `${more}  api:\n`) : MINIMAL + more;
  return loadEnvironment('dev', { cwd: project({ 'dev.yaml': yaml }) }).settings;
}

function modelOf(settings: Settings) {
  const root = new RootConstruct();
  new RagServices(root, settings);
  giveVolumesToTheirOwners(root);
  return workloadsOf(root);
}

/** One more model: indented, it goes among the models. */
const VLLM = '    big: {engine: vllm, model: {name: o/m}, maxModelLen: 4096}\n';

const ENVIRONMENTS: readonly (readonly [string, string])[] = [
  ['defaults', ''],
  ['an extra service', EXTRA],
  ['everything on', OBSERVED],
  ['every name set', RENAMED],
  ['a model on vLLM', VLLM],
  [
    'a model on vLLM that the host has',
    VLLM.replace('name: o/m', 'name: o/m, onHost: {cache: /hf, acknowledge: it is there}'),
  ],
  [
    'a database and vectors elsewhere',
    '  postgres: {external: {url: "postgresql://rag_api@db.example/ml_db"}}\n  qdrant: {external: {url: "https://v.example"}}\n',
  ],
  [
    'a model elsewhere beside one of the stack',
    '    hosted: {engine: openai, url: "https://models.example/v1", model: m, contextLength: 4096}\n',
  ],
  ['everything off', '  webBot: {enabled: false}\n  prometheus: {enabled: false}\n  nodeExporter: {enabled: false}\n'],
];

describe.each(ENVIRONMENTS)('%s', (_name, more) => {
  test('ids of the services', () => {
    const settings = settingsOf(more);
    const inModel = modelOf(settings)
      .filter(Service.isService)
      .map(({ node }) => node.id);
    expect(
      servicesOf(settings, 'dev')
        .filter(({ external }) => !external)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(inModel.sort());
  });

  test('names of the containers, those of jobs included', () => {
    const settings = settingsOf(more);
    const inModel = modelOf(settings).map((workload) => workload.containerName ?? `dev-${workload.node.id}`);
    const claimed = servicesOf(settings, 'dev').flatMap(({ containers }) => containers.map(({ name }) => name));
    expect(claimed).toEqual(expect.arrayContaining(inModel));
    const known = new Set(inModel.flatMap((name) => [name, `${name}-files`]));
    expect(claimed.filter((name) => !known.has(name))).toEqual([]);
  });

  test('names of the volumes', () => {
    const settings = settingsOf(more);
    const claimed = servicesOf(settings, 'dev').flatMap(({ volumes }) => volumes.map(({ name }) => name));
    expect(claimed.sort()).toEqual(Object.values(promisesOf(settings, 'dev').volumes).sort());
  });
});

test('the ids that extra services may not take are those of all services and jobs, the disabled ones too', () => {
  expect([...reservedIds(settingsOf(''))].sort()).toEqual(
    modelOf(settingsOf(OBSERVED))
      .map(({ node }) => node.id)
      .sort(),
  );
});

test('who is connected to has a credential exactly where the rules say so', () => {
  const settings = settingsOf('');
  const services = new RagServices(new RootConstruct(), settings);
  const endpoints = {
    qdrant: services.qdrant.http,
    api: services.api.http,
    webBot: services.webBot?.http,
    prometheus: services.prometheus?.http,
    'llm.main': services.llms.get('main')?.http,
  };
  const known = servicesOf(settings, 'dev').flatMap(({ target, credential }) => (target ? [[target, credential]] : []));
  expect(Object.fromEntries(known)).toEqual(
    Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, endpoint?.credential !== undefined])),
  );
});
