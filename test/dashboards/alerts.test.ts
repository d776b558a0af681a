import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { alertGroups, alertRules } from '../../dashboards/alerts.js';
import * as catalogue from '../../dashboards/metrics.js';
import { anchors, readPage } from '../docs/support/markdown.js';
import { temporaryFolder } from '../support/folder.js';
import { parseQuery } from '../support/promql.js';
import { HAS_PROMTOOL, promtool } from '../support/promtool.js';

const ALL = { node: true, postgres: true, gpus: true, embeddings: true, history: true };
const alerts = alertGroups(ALL).flatMap((group) => group.alerts);

const METRICS = new Map<string, Pick<catalogue.Metric, 'type' | 'labels'>>(
  Object.values(catalogue)
    .flatMap((part) => Object.values(part))
    .map((metric) => [metric.name, metric]),
);

describe('rules', () => {
  test('are those of the services that a stack has', () => {
    const names = (watched: Parameters<typeof alertGroups>[0]) => alertGroups(watched).map(({ name }) => name);
    expect(names({ node: false, postgres: false })).toEqual(['services', 'questions', 'qdrant']);
    expect(names(ALL)).toEqual([
      'services',
      'questions',
      'qdrant',
      'host',
      'postgres',
      'gpus',
      'embeddings',
      'history',
    ]);
  });

  test('have names of their own', () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  test.each(alerts.map((alert) => [alert.name, alert] as const))('%s', (_name, { name, expr, severity, ...alert }) => {
    const { errors, uses } = parseQuery(expr);
    expect(errors).toEqual([]);
    for (const { metric: series, labels, inRate } of uses) {
      const metric = METRICS.get(series) ?? METRICS.get(series.replace(/_(bucket|sum|count)$/, ''));
      expect(metric, `${series} is not in the catalogue`).toBeDefined();
      expect(inRate, `${series} grows: ask for its growth`).toBe(metric?.type !== 'gauge');
      for (const label of labels) expect([...(metric?.labels ?? []), 'job', 'instance']).toContain(label);
    }
    expect(name).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(severity).toMatch(/^(critical|warning)$/);
    expect(alert.summary).not.toMatch(/\.$/);
    expect(alert.description).toMatch(/\.$/);
    expect(anchors(readPage('docs/alerts.md')), 'docs/alerts.md says nothing about it').toContain(name.toLowerCase());
  });

  test('docs/alerts.md knows no alert that is none', () => {
    const headings = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8').match(/^### .+$/gm) ?? [];
    expect(headings.map((heading) => heading.slice(4)).sort()).toEqual(alerts.map(({ name }) => name).sort());
  });

  test('the file leads from each alert to its explanation', () => {
    const { groups } = parse(alertRules(ALL));
    expect(groups[0].rules[0]).toMatchObject({
      alert: 'ServiceDown',
      labels: { severity: 'critical' },
      annotations: {
        runbook: 'docs/alerts.md#servicedown',
        summary: expect.any(String),
        description: expect.any(String),
      },
    });
  });
});

interface Case {
  readonly what: string;
  /** Series in promtool's notation, a value each minute. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  readonly alert: string;
  /** Labels of the alerts that fire, beside the severity; and the beginning of the summary. */
  readonly fires: readonly { readonly labels: Readonly<Record<string, string>>; readonly summary: string }[];
}

const node = (name: string) => `node_filesystem_${name}{job="node",device="/dev/vda",fstype="ext4",mountpoint="/"}`;
const disk = { job: 'node', device: '/dev/vda', fstype: 'ext4', mountpoint: '/' };
const ended = (outcome: string) =>
  `rag_history_exchanges_total{job="agent_metrics",course="demo",outcome="${outcome}"}`;
const points = (collection: string) => `rag_knowledge_points{job="agent_metrics",collection="${collection}"}`;
const asked = (outcome: string) => `rag_requests_total{job="rag-api",course="demo",outcome="${outcome}"}`;

const gpu = { job: 'dcgm', gpu: '0', modelName: 'NVIDIA L4' };
const ofGpu = (name: string) => `DCGM_FI_DEV_${name}{job="dcgm",gpu="0",modelName="NVIDIA L4"}`;
const failures = (err: string) => `te_request_failure{job="embeddings",err="${err}"}`;

const CASES: readonly Case[] = [
  {
    what: 'a service that is gone for two minutes',
    series: { 'up{job="qdrant",instance="q:9090"}': '1 1 0x5', 'up{job="rag-api",instance="a:9091"}': '1x7' },
    at: '5m',
    alert: 'ServiceDown',
    fires: [{ labels: { job: 'qdrant', instance: 'q:9090' }, summary: 'qdrant gives Prometheus no metrics' }],
  },
  {
    what: 'a service that was gone for a moment',
    series: { 'up{job="qdrant",instance="q:9090"}': '1 0 1x5' },
    at: '5m',
    alert: 'ServiceDown',
    fires: [],
  },
  {
    what: 'every fifth question failing',
    series: { [asked('answered')]: '0+4x30', [asked('error')]: '0+1x30' },
    at: '20m',
    alert: 'QuestionsFail',
    fires: [{ labels: {}, summary: '20% of the questions end in an error' }],
  },
  {
    what: 'the only question failing',
    series: { [asked('answered')]: '0x30', [asked('error')]: '0 0 0 0 0 0 0 0 0 0 0 1x19' },
    at: '20m',
    alert: 'QuestionsFail',
    fires: [],
  },
  {
    what: 'answers that begin after a minute',
    series: {
      'rag_ttft_seconds_bucket{job="rag-api",le="30"}': '0x30',
      'rag_ttft_seconds_bucket{job="rag-api",le="60"}': '0+5x30',
      'rag_ttft_seconds_bucket{job="rag-api",le="+Inf"}': '0+5x30',
    },
    at: '25m',
    alert: 'AnswersStartLate',
    fires: [{ labels: {}, summary: 'One answer in twenty takes more than 30 s to begin' }],
  },
  {
    what: 'a component that stays down',
    series: { 'rag_degraded_total{job="rag-api",component="qdrant"}': '0+1x30' },
    at: '20m',
    alert: 'AnswersWithoutComponent',
    fires: [{ labels: { component: 'qdrant' }, summary: 'The RAG API answers without qdrant' }],
  },
  {
    what: 'an exchange that was lost',
    series: { 'rag_exchanges_lost_total{job="rag-api",instance="a"}': '0 0 1x10' },
    at: '5m',
    alert: 'ExchangesLost',
    fires: [{ labels: { job: 'rag-api', instance: 'a' }, summary: 'Answers were given and could not be saved' }],
  },
  {
    what: 'the queue of vLLM',
    series: { 'vllm:num_requests_waiting{job="llm-main",model_name="m",engine="0"}': '12x20' },
    at: '10m',
    alert: 'ModelQueueGrows',
    fires: [{ labels: { job: 'llm-main' }, summary: '12 requests wait for llm-main' }],
  },
  {
    what: 'a vLLM server that nobody waits for',
    series: { 'vllm:num_requests_waiting{job="llm-main",model_name="m",engine="0"}': '0x20' },
    at: '10m',
    alert: 'ModelQueueGrows',
    fires: [],
  },
  {
    what: 'the queue of llama.cpp',
    series: { 'llamacpp:requests_deferred{job="llm-main"}': '11x20' },
    at: '10m',
    alert: 'ModelQueueGrows',
    fires: [{ labels: { job: 'llm-main' }, summary: '11 requests wait for llm-main' }],
  },
  {
    what: 'a full KV cache',
    series: { 'vllm:kv_cache_usage_perc{job="llm-main",model_name="m",engine="0"}': '0.99x20' },
    at: '15m',
    alert: 'ModelCacheFull',
    fires: [{ labels: { job: 'llm-main' }, summary: 'The KV cache of llm-main is full' }],
  },
  {
    what: 'Qdrant failing every tenth request',
    series: {
      'rest_responses_total{job="qdrant",method="POST",endpoint="/e",status="200"}': '0+9x20',
      'rest_responses_total{job="qdrant",method="POST",endpoint="/e",status="500"}': '0+1x20',
    },
    at: '15m',
    alert: 'QdrantFails',
    fires: [{ labels: {}, summary: '10% of the requests to Qdrant fail' }],
  },
  {
    what: 'Qdrant in recovery mode',
    series: { 'app_status_recovery_mode{job="qdrant",instance="q"}': '1x10' },
    at: '5m',
    alert: 'QdrantInRecoveryMode',
    fires: [{ labels: { job: 'qdrant', instance: 'q' }, summary: 'Qdrant runs in recovery mode' }],
  },
  {
    what: 'Qdrant near its limit of files',
    series: {
      'process_open_fds{job="qdrant",instance="q"}': '9000x20',
      'process_max_fds{job="qdrant",instance="q"}': '10000x20',
    },
    at: '15m',
    alert: 'QdrantRunsOutOfFiles',
    fires: [
      {
        labels: { job: 'qdrant', instance: 'q' },
        summary: 'Qdrant uses 90% of the files or mappings that it may open',
      },
    ],
  },
  {
    what: 'a disk with 3 % left',
    series: { [node('avail_bytes')]: '3x20', [node('size_bytes')]: '100x20' },
    at: '10m',
    alert: 'DiskAlmostFull',
    fires: [{ labels: disk, summary: '/ has 3% left' }],
  },
  {
    what: 'a full disk of memory, which is none',
    series: {
      'node_filesystem_avail_bytes{job="node",fstype="tmpfs",mountpoint="/run"}': '0x20',
      'node_filesystem_size_bytes{job="node",fstype="tmpfs",mountpoint="/run"}': '100x20',
    },
    at: '10m',
    alert: 'DiskAlmostFull',
    fires: [],
  },
  {
    what: 'a disk that loses a tenth in three hours',
    series: { [node('avail_bytes')]: '390-0.5x600', [node('size_bytes')]: '1000x600' },
    at: '8h',
    alert: 'DiskFillsUp',
    fires: [{ labels: disk, summary: '/ will be full within a day' }],
  },
  {
    what: 'a disk that stays as it is',
    series: { [node('avail_bytes')]: '300x600', [node('size_bytes')]: '1000x600' },
    at: '8h',
    alert: 'DiskFillsUp',
    fires: [],
  },
  {
    what: 'a root that cannot be written to',
    series: { [node('readonly')]: '1x10' },
    at: '5m',
    alert: 'FileSystemReadOnly',
    fires: [{ labels: disk, summary: 'The file system of the host cannot be written to' }],
  },
  {
    what: 'a host with 2 % of its memory left',
    series: {
      'node_memory_MemAvailable_bytes{job="node",instance="n"}': '2x20',
      'node_memory_MemTotal_bytes{job="node",instance="n"}': '100x20',
    },
    at: '15m',
    alert: 'MemoryAlmostFull',
    fires: [{ labels: { job: 'node', instance: 'n' }, summary: 'The host has 2% of its memory left' }],
  },
  {
    what: 'a process that was killed',
    series: { 'node_vmstat_oom_kill{job="node",instance="n"}': '7 7 8x10' },
    at: '5m',
    alert: 'ProcessKilledForMemory',
    fires: [{ labels: { job: 'node', instance: 'n' }, summary: 'A process was ended for want of memory' }],
  },
  {
    what: 'a course of which three questions in five are refused',
    series: { [ended('refused')]: '0+3x90', [ended('answered')]: '0+2x90' },
    at: '80m',
    alert: 'CourseLacksDocuments',
    fires: [{ labels: { course: 'demo' }, summary: '60% of the questions of the course demo are refused' }],
  },
  {
    what: 'a course of which two questions in five are refused',
    series: { [ended('refused')]: '0+2x90', [ended('answered')]: '0+3x90' },
    at: '80m',
    alert: 'CourseLacksDocuments',
    fires: [],
  },
  {
    what: 'collections into which nothing was ingested',
    series: { [points('a')]: '0x90', [points('b')]: '0x90' },
    at: '80m',
    alert: 'NothingToSearch',
    fires: [{ labels: {}, summary: 'The collections are empty' }],
  },
  {
    what: 'one empty collection beside another',
    series: { [points('a')]: '0x90', [points('b')]: '5x90' },
    at: '80m',
    alert: 'NothingToSearch',
    fires: [],
  },
  {
    what: 'a collection that lost most of its passages',
    series: { [points('a')]: '100x60 40x60', [points('b')]: '100x60 60x60' },
    at: '110m',
    alert: 'CollectionShrank',
    fires: [
      {
        labels: { job: 'agent_metrics', collection: 'a' },
        summary: 'The collection a has less than half of the passages that it had within a day',
      },
    ],
  },
  {
    what: 'an exporter whose database is gone',
    series: { 'rag_exporter_up{job="agent_metrics",source="counts"}': '0x20' },
    at: '15m',
    alert: 'ExporterCannotRead',
    fires: [{ labels: { job: 'agent_metrics', source: 'counts' }, summary: 'The agent exporter cannot read counts' }],
  },
  {
    what: 'PostgreSQL gone',
    series: { 'pg_up{job="postgres",instance="p"}': '0x10' },
    at: '5m',
    alert: 'PostgresDown',
    fires: [{ labels: { job: 'postgres', instance: 'p' }, summary: 'The exporter cannot log in to PostgreSQL' }],
  },
  {
    what: 'PostgreSQL with 90 of 100 connections in use',
    series: {
      'pg_stat_activity_count{job="postgres",datname="ml_db",state="idle"}': '60x20',
      'pg_stat_activity_count{job="postgres",datname="ml_db",state="active"}': '30x20',
      'pg_settings_max_connections{job="postgres"}': '100x20',
    },
    at: '10m',
    alert: 'PostgresConnectionsAlmostUsedUp',
    fires: [{ labels: {}, summary: '90% of the connections of PostgreSQL are in use' }],
  },
  {
    what: 'a deadlock',
    series: { 'pg_stat_database_deadlocks{job="postgres",datname="ml_db"}': '0 0 1x10' },
    at: '5m',
    alert: 'PostgresDeadlocks',
    fires: [{ labels: { datname: 'ml_db' }, summary: 'Transactions in ml_db blocked each other' }],
  },
  {
    what: 'a configuration that Prometheus refused',
    series: { 'prometheus_config_last_reload_successful{job="prometheus",instance="p"}': '0x10' },
    at: '8m',
    alert: 'PrometheusConfigurationRefused',
    fires: [{ labels: { job: 'prometheus', instance: 'p' }, summary: 'Prometheus works with an old configuration' }],
  },
  {
    what: 'a rule that fails',
    series: { 'prometheus_rule_evaluation_failures_total{job="prometheus",rule_group="g"}': '0+1x30' },
    at: '25m',
    alert: 'AlertRuleFails',
    fires: [{ labels: { job: 'prometheus', rule_group: 'g' }, summary: 'An alert rule cannot be evaluated' }],
  },
  {
    what: 'an Alertmanager that is gone',
    series: { 'prometheus_notifications_errors_total{job="prometheus",alertmanager="a"}': '0+1x30' },
    at: '20m',
    alert: 'AlertsNotDelivered',
    fires: [{ labels: { job: 'prometheus', alertmanager: 'a' }, summary: 'Prometheus cannot reach Alertmanager' }],
  },
  {
    what: 'the first error of a card',
    series: { [ofGpu('XID_ERRORS')]: '_x10 31x20' },
    at: '15m',
    alert: 'GpuError',
    fires: [{ labels: gpu, summary: 'GPU 0 reported the error XID 31' }],
  },
  {
    what: 'another error of a card',
    series: { [ofGpu('XID_ERRORS')]: '31x20 79x20' },
    at: '25m',
    alert: 'GpuError',
    fires: [{ labels: gpu, summary: 'GPU 0 reported the error XID 79' }],
  },
  {
    what: 'an error of long ago',
    series: { [ofGpu('XID_ERRORS')]: '31x60' },
    at: '45m',
    alert: 'GpuError',
    fires: [],
  },
  {
    what: 'a card that never had an error, and says so',
    series: { [ofGpu('XID_ERRORS')]: '_x10 0x20' },
    at: '15m',
    alert: 'GpuError',
    fires: [],
  },
  {
    what: 'a hot card',
    series: { [ofGpu('GPU_TEMP')]: '88x20' },
    at: '10m',
    alert: 'GpuHot',
    fires: [{ labels: gpu, summary: 'GPU 0 is at 88 °C' }],
  },
  {
    what: 'a card that was hot for a moment',
    series: { [ofGpu('GPU_TEMP')]: '70x5 88 88 70x20' },
    at: '10m',
    alert: 'GpuHot',
    fires: [],
  },
  {
    what: 'a card without a spare row',
    series: { [ofGpu('ROW_REMAP_FAILURE')]: '0x5 1x5' },
    at: '8m',
    alert: 'GpuRowRemapFails',
    fires: [{ labels: gpu, summary: 'GPU 0 has memory that it cannot replace' }],
  },
  {
    what: 'a row that was replaced now',
    series: { [ofGpu('UNCORRECTABLE_REMAPPED_ROWS')]: '2x10 3x20' },
    at: '15m',
    alert: 'GpuMemoryBreaks',
    fires: [{ labels: gpu, summary: 'GPU 0 replaced broken memory' }],
  },
  {
    what: 'rows that were replaced long ago',
    series: { [ofGpu('UNCORRECTABLE_REMAPPED_ROWS')]: '2x90' },
    at: '80m',
    alert: 'GpuMemoryBreaks',
    fires: [],
  },
  {
    what: 'texts that cannot be computed',
    series: { [failures('inference')]: '0+1x30' },
    at: '20m',
    alert: 'EmbeddingsFail',
    fires: [{ labels: {}, summary: 'The embedding server cannot compute texts' }],
  },
  {
    what: 'texts that are too long, which is their sender’s matter',
    series: { [failures('tokenization')]: '0+1x30' },
    at: '20m',
    alert: 'EmbeddingsFail',
    fires: [],
  },
  {
    what: 'texts that are refused for a while',
    series: { [failures('overloaded')]: '0+5x30' },
    at: '20m',
    alert: 'EmbeddingsRefused',
    fires: [{ labels: {}, summary: 'The embedding server refuses texts for want of room' }],
  },
  {
    what: 'a long queue of texts',
    series: { 'te_queue_size{job="embeddings"}': '150x20' },
    at: '10m',
    alert: 'EmbeddingQueueGrows',
    fires: [{ labels: {}, summary: '150 texts wait for the embedding server' }],
  },
];

test('every alert has a case in which it fires', () => {
  const fired = new Set(CASES.filter(({ fires }) => fires.length > 0).map(({ alert }) => alert));
  expect(alerts.map(({ name }) => name).filter((name) => !fired.has(name))).toEqual([]);
});

describe.runIf(HAS_PROMTOOL)('promtool', () => {
  test('takes the rules of every stack', async () => {
    const file = join(temporaryFolder(), 'stack.rules.yml');
    for (const watched of [ALL, { node: false, postgres: false }]) {
      writeFileSync(file, alertRules(watched));
      expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', file)).toMatchObject({ code: 0 });
    }
  });

  test.each(CASES.map((it) => [it.alert, it.what, it] as const))('%s: %s', async (_alert, _what, it) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'stack.rules.yml'), alertRules(ALL));
    const alert = alerts.find(({ name }) => name === it.alert);
    const expected = it.fires.map(({ labels, summary }) => ({
      exp_labels: { severity: alert?.severity, ...labels },
      exp_annotations: {
        summary,
        description: alert?.description.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label) => labels[label] ?? ''),
        runbook: `docs/alerts.md#${it.alert.toLowerCase()}`,
      },
    }));
    const series = Object.entries(it.series).map(([name, values]) => ({ series: name, values }));
    const file = join(folder, 'test.yml');
    writeFileSync(
      file,
      stringify({
        rule_files: ['stack.rules.yml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series,
            alert_rule_test: [{ eval_time: it.at, alertname: it.alert, exp_alerts: expected }],
          },
        ],
      }),
    );
    const { code, stdout, stderr } = await promtool('test', 'rules', file);
    expect(code, stdout + stderr).toBe(0);
  });
});
