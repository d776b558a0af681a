/**
 * Every image of the stack, with its tag, in one place that a bot can raise. Digests are added from an environment's
 * lock file when it has them.
 */
export const IMAGES = {
  postgres: 'postgres:15.20-bookworm',
  qdrant: 'qdrant/qdrant:v1.19.0-unprivileged',
  vllm: 'vllm/vllm-openai:v0.32.0',
  llamaCpp: 'ghcr.io/ggml-org/llama.cpp:server-b11549',
  textEmbeddings: 'ghcr.io/huggingface/text-embeddings-inference:cpu-1.9',
  textEmbeddingsCuda: 'ghcr.io/huggingface/text-embeddings-inference:cuda-1.9',
  prometheus: 'prom/prometheus:v3.16.0',
  nodeExporter: 'prom/node-exporter:v1.12.1',
  dcgmExporter: 'nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless',
  postgresExporter: 'prometheuscommunity/postgres-exporter:v0.20.1',
  alertmanager: 'prom/alertmanager:v0.34.1',
  grafana: 'grafana/grafana:13.2.3',
  node: 'node:24.21.0-bookworm-slim',
} as const;
