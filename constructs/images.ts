/**
 * Every image of the stack, with its tag, in one place that a bot can raise. Digests are added from an environment's
 * lock file when it has them.
 */
export const IMAGES = {
  postgres: 'postgres:15.20-bookworm',
  qdrant: 'qdrant/qdrant:v1.19.0-unprivileged',
  vllm: 'vllm/vllm-openai:v0.32.0',
  llamaCpp: 'ghcr.io/ggml-org/llama.cpp:server-b11549',
  prometheus: 'prom/prometheus:v3.16.0',
  nodeExporter: 'prom/node-exporter:v1.12.1',
  postgresExporter: 'prometheuscommunity/postgres-exporter:v0.20.1',
  alertmanager: 'prom/alertmanager:v0.34.1',
  grafana: 'grafana/grafana:13.2.3',
  node: 'node:24.21.0-bookworm-slim',
} as const;
