import { expect } from 'vitest';
import { parse } from 'yaml';
import { AGENT_EXPORTER_METRICS } from '../../../dashboards/metrics.js';
import type { Resource } from '../../support/synth.js';
import type { Check, Checks, Saiga } from './saiga.js';

function dashboard(saiga: Saiga, uid: string): Resource {
  return saiga.json('grafana', `/etc-grafana-dashboards/ragdock-${uid}.json`);
}

/** Panels of a dashboard by their titles; each has to ask for a metric of this name. */
const panels =
  (uid: string, ...wanted: readonly (readonly [title: string, metric: string])[]): Check =>
  (saiga) =>
    wanted.map(([title, metric]) => {
      const panel = dashboard(saiga, uid).panels.find((it: Resource) => it.title === title && it.type !== 'row');
      expect(JSON.stringify(panel?.targets ?? []), `${uid}: ${title}`).toContain(metric);
      return panel.title;
    });

const title =
  (uid: string): Check =>
  (saiga) => [dashboard(saiga, uid).title];

const configuration = (saiga: Saiga): Resource => parse(saiga.file('prometheus', '/prometheus.yml'));

/** A scrape job: its name, path, interval and target. What the file leaves out is Prometheus' own default or global. */
function job(saiga: Saiga, name: string) {
  const { global, scrape_configs: jobs } = configuration(saiga);
  const found = jobs.find(({ job_name }: Resource) => job_name === name);
  if (!found) throw new Error(`prometheus.yml has no job ${name}`);
  const targets: string[] = found.static_configs.flatMap((it: Resource) => it.targets);
  expect(targets).toHaveLength(1);
  return {
    name: found.job_name as string,
    path: (found.metrics_path ?? '/metrics') as string,
    interval: (found.scrape_interval ?? global.scrape_interval) as string,
    target: targets[0] ?? '',
  };
}

/** DCGM fields that are collected. */
const fields =
  (...names: readonly string[]): Check =>
  (saiga) => {
    for (const name of names) expect(saiga.file('dcgm-exporter', '/collectors.csv')).toContain(`\n${name}, `);
    return names;
  };

const nodeAddress = (saiga: Saiga): string =>
  saiga
    .container('node-exporter')
    .command.find((it: string) => it.includes('=127.0.0.1:'))
    ?.split('=')[1] ?? '';

export const GRAFANA: Checks = {
  'Порт: your_port': (saiga) => [saiga.published('grafana', 3000)],
  'URL: http://your_IP_adres:your_port': (saiga) => [`http://${saiga.published('grafana', 3000)}`],
  'Доступ: admin/admin': (saiga) => ['admin', saiga.variable('grafana', 'GF_SECURITY_ADMIN_PASSWORD')],
  'image: grafana/grafana:latest': (saiga) => [saiga.image('grafana')],
  'container_name: grafana_new': (saiga) => [saiga.said('grafana.container')],
  '"your_port:3000"': (saiga) => [saiga.published('grafana', 3000)],
  'GF_SECURITY_ADMIN_USER=admin': (saiga) => {
    // Nobody else's name is set, so the first user has Grafana's own.
    expect(saiga.hasVariable('grafana', 'GF_SECURITY_ADMIN_USER')).toBe(false);
    return ['admin'];
  },
  'GF_SECURITY_ADMIN_PASSWORD=admin': (saiga) => {
    expect(saiga.variable('grafana', 'GF_SECURITY_ADMIN_PASSWORD')).toMatch(/^GF_SECURITY_ADMIN_PASSWORD=\$__file\{/);
    expect(saiga.container('grafana').entrypoint[2]).toContain('exit 78');
    return ['grafana-admin-password'].filter((name) => saiga.files('grafana').join().includes(name));
  },
  'GF_USERS_ALLOW_SIGN_UP=false': (saiga) => [saiga.variable('grafana', 'GF_USERS_ALLOW_SIGN_UP')],
  'grafana_data_new:/var/lib/grafana': (saiga) => [saiga.mount('grafana', '/var/lib/grafana')],
  './config/grafana/provisioning:/etc/grafana/provisioning': (saiga) =>
    saiga.targets('grafana').filter((it) => it.startsWith('/etc/grafana/provisioning/')),
  './config/grafana/dashboards:/etc/grafana/dashboards': (saiga) =>
    saiga.targets('grafana').filter((it) => it === '/etc/grafana/dashboards'),
  'System Overview': title('system-overview'),
  'CPU, Memory, Disk usage': panels(
    'system-overview',
    ['Processor time by kind', 'node_cpu_seconds_total'],
    ['Memory', 'node_memory_MemAvailable_bytes'],
    ['File systems', 'node_filesystem_avail_bytes'],
  ),
  'Network stats': panels('system-overview', ['Network', 'node_network_receive_bytes_total']),
  'System load': panels('system-overview', ['Load', 'node_load1']),
  'GPU metrics': panels(
    'system-overview',
    ['GPU utilization', 'DCGM_FI_DEV_GPU_UTIL'],
    ['GPU memory', 'DCGM_FI_DEV_FB_USED'],
    ['GPU temperature', 'DCGM_FI_DEV_GPU_TEMP'],
    ['GPU power', 'DCGM_FI_DEV_POWER_USAGE'],
  ),
  'Saiga Dashboard': (saiga) => {
    const shown = dashboard(saiga, 'llm');
    expect(shown.templating.list.map(({ name }: Resource) => name)).toEqual(['job']);
    return [shown.title, job(saiga, 'saiga').name];
  },
  'API latency': panels(
    'llm',
    ['Time to the first token', 'vllm:time_to_first_token_seconds'],
    ['Time of a whole answer', 'vllm:e2e_request_latency_seconds'],
  ),
  'Request rate': panels('llm', ['Requests finished', 'vllm:request_success_total']),
  'Token usage': panels('llm', ['Tokens in a second', 'vllm:generation_tokens_total']),
  'GPU utilization': panels('llm', ['GPU utilization', 'DCGM_FI_DEV_GPU_UTIL']),
  'Error rate': panels('llm', ['Error rate', 'finished_reason=~']),
  'Qdrant Metrics': title('qdrant'),
  'Collection stats': panels('qdrant', ['Points', 'collection_points'], ['Vectors', 'collection_vectors']),
  'Query performance': panels(
    'qdrant',
    ['Searches', 'rest_responses'],
    ['Time of a search', 'rest_responses_duration_seconds'],
    ['Mean time by request', 'rest_responses_duration_seconds'],
  ),
  'Resource usage': panels(
    'qdrant',
    ['Memory', 'memory_'],
    ['Open files and mappings', 'process_'],
    ['Page faults that read the disk', 'process_'],
  ),
};

export const PROMETHEUS: Checks = {
  'Порт: your_port': (saiga) => [saiga.published('prometheus', 9090)],
  'URL: http://your_IP_adres:your_port': (saiga) => [`http://${saiga.published('prometheus', 9090)}`],
  'image: prom/prometheus:latest': (saiga) => [saiga.image('prometheus')],
  'container_name: prometheus_new': (saiga) => [saiga.said('prometheus.container')],
  '"your_port:9090"': (saiga) => [saiga.published('prometheus', 9090)],
  './config/prometheus:/etc/prometheus': (saiga) => {
    expect(configuration(saiga).scrape_configs).not.toHaveLength(0);
    return saiga.targets('prometheus').filter((it) => it.startsWith('/etc/prometheus'));
  },
  'prometheus_data_new:/prometheus': (saiga) => [saiga.mount('prometheus', '/prometheus')],
  "'--config.file=/etc/prometheus/prometheus.yml'": (saiga) => [saiga.flag('prometheus', '--config.file')],
  "'--storage.tsdb.path=/prometheus'": (saiga) => [saiga.flag('prometheus', '--storage.tsdb.path')],
  "'--storage.tsdb.retention.time=7d'": (saiga) => {
    expect(configuration(saiga).storage.tsdb.retention.time).toBe('7d');
    return [saiga.said('prometheus.retention'), 'storage.tsdb.retention.time'];
  },
  "job_name: 'agent_metrics'": (saiga) => Object.values(job(saiga, 'agent_metrics')),
  "job_name: 'qdrant'": (saiga) => {
    expect(saiga.variable('qdrant', 'QDRANT__SERVICE__METRICS_PORT')).toMatch(/=9090$/);
    const { name, path, target } = job(saiga, 'qdrant');
    return [name, path, target];
  },
  "job_name: 'saiga'": (saiga) => {
    const { name, path, target } = job(saiga, 'saiga');
    return [name, path, target];
  },
  "job_name: 'node'": (saiga) => {
    const { name, target } = job(saiga, 'node');
    expect(saiga.container('prometheus').host).toContainEqual(expect.objectContaining({ host: 'node-exporter_new' }));
    return [name, target];
  },
};

export const EXPORTERS: Checks = {
  'Порт: 9101': (saiga) => [nodeAddress(saiga)],
  'Системные метрики': (saiga) => [saiga.container('node-exporter').name, job(saiga, 'node').name],
  'Порт: 9401': (saiga) => [saiga.published('dcgm-exporter', 9400)],
  'GPU метрики': fields('DCGM_FI_DEV_GPU_UTIL', 'DCGM_FI_DEV_GPU_TEMP', 'DCGM_FI_DEV_POWER_USAGE'),
  'CUDA мониторинг': fields('DCGM_FI_DEV_FB_USED', 'DCGM_FI_DEV_SM_CLOCK', 'DCGM_FI_DEV_XID_ERRORS'),
  'Порт: 9402': (saiga) => [saiga.published('agent-exporter', 9090)],
  'Метрики приложения': () => {
    const names = Object.values(AGENT_EXPORTER_METRICS).map(({ name }) => name as string);
    const wanted = ['rag_history_exchanges_total', 'rag_history_wait_seconds', 'rag_history_tokens_total'];
    return wanted.filter((name) => names.includes(name));
  },
  'Business logic мониторинг': () => {
    const names = Object.values(AGENT_EXPORTER_METRICS).map(({ name }) => name as string);
    const wanted = ['rag_history_users', 'rag_history_without_sources_total', 'rag_knowledge_points'];
    return wanted.filter((name) => names.includes(name));
  },
};

/** What listens on the Docker host, by the container it leads to: `[container, address on the host, port in it]`. */
export function publishedPorts(saiga: Saiga): readonly (readonly string[])[] {
  const ports = saiga.containers.flatMap(({ name, ports = [] }) =>
    ports.map((port: Resource) => [name, `${port.ip}:${port.external}`, String(port.internal)]),
  );
  const node = saiga.container('node-exporter');
  return [...ports, [node.name, nodeAddress(saiga), '9101']].sort();
}
