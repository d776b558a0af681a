import type { Construct } from 'constructs';
import type { EmbeddingsSettings } from '../config/embeddings.js';
import type { ExternalLlmSettings, LlamaCppSettings, LlmSettings, VllmSettings } from '../config/llm.js';
import type { GpuSettings } from '../config/model-fields.js';
import type { Gpus } from '../constructs/model/index.js';
import {
  EmbeddingServer,
  ExternalLlm,
  LlamaCppServer,
  type VllmFlags,
  type VllmModelSource,
  VllmServer,
} from '../constructs/services/index.js';

/** One of services.llm, whoever runs it. */
export function modelServer(
  scope: Construct,
  id: string,
  server: LlmSettings,
): LlamaCppServer | VllmServer | ExternalLlm {
  if (server.engine === 'openai') return externalLlm(scope, id, server);
  const managed = server.engine === 'vllm' ? vllm(scope, id, server) : llamaCpp(scope, id, server);
  if (server.publish) managed.publish(managed.http, server.publish);
  return managed;
}

function llamaCpp(scope: Construct, id: string, server: LlamaCppSettings): LlamaCppServer {
  return new LlamaCppServer(scope, id, {
    image: server.image,
    containerName: server.container,
    volumeName: server.volume,
    memoryMiB: server.memory,
    model: server.model,
    contextLength: server.contextLength,
    parallel: server.parallel,
    threads: server.threads,
  });
}

function externalLlm(scope: Construct, id: string, { url, keySecret, metrics, ca }: ExternalLlmSettings): ExternalLlm {
  return new ExternalLlm(scope, id, { url, keySecret, metrics, certificateAuthority: ca });
}

function vllm(scope: Construct, id: string, server: VllmSettings): VllmServer {
  const [uid = 0, gid = 0] = server.user.split(':').map(Number);
  const { name, servedName: alias } = server.model;
  return new VllmServer(scope, id, {
    image: server.image,
    containerName: server.container,
    volumeName: server.volume,
    memoryMiB: server.memory,
    shmSizeMiB: server.sharedMemory,
    user: { uid, gid },
    model: { name, servedName: alias, source: sourceOf(server.model) },
    port: server.port,
    gpus: gpusOf(server.gpus),
    maxModelLen: server.maxModelLen,
    gpuMemoryUtilization: server.gpuMemoryUtilization,
    trustRemoteCode: server.trustRemoteCode,
    dtype: server.dtype === 'auto' ? undefined : server.dtype,
    quantization: server.quantization,
    maxNumSeqs: server.maxNumSeqs,
    tensorParallelSize: server.tensorParallelSize,
    enforceEager: server.enforceEager,
    // The rules have looked at every one of them.
    flags: server.flags as VllmFlags,
    restart: server.restart,
    startPeriodSeconds: server.startSeconds,
    stallSeconds: server.stallSeconds,
    shutdownTimeoutSeconds: server.shutdownSeconds,
  });
}

/** The server of services.embeddings. */
export function embeddingServer(scope: Construct, settings: EmbeddingsSettings): EmbeddingServer {
  const [uid = 0, gid = 0] = settings.user.split(':').map(Number);
  const { name, revision, token, onHost } = settings.model;
  return new EmbeddingServer(scope, 'embeddings', {
    image: settings.image,
    containerName: settings.container,
    volumeName: settings.volume,
    memoryMiB: settings.memory,
    user: { uid, gid },
    model: {
      name,
      source: onHost
        ? { kind: 'host-folder', path: onHost.folder, reason: onHost.acknowledge }
        : { kind: 'download', revision, token },
    },
    port: settings.port,
    gpus: settings.gpus && gpusOf(settings.gpus),
    maxClientBatchSize: settings.maxClientBatchSize,
    maxBatchTokens: settings.maxBatchTokens,
    maxConcurrentRequests: settings.maxConcurrentRequests,
    payloadBytes: settings.payloadBytes,
    startPeriodSeconds: settings.startSeconds,
  });
}

/** Graphics cards as the model has them: all of them unless some are named. */
export const gpusOf = ({ devices, by }: GpuSettings): Gpus => ({ devices: devices ?? 'all', handedOutBy: by });

function sourceOf({ revision, token, onHost }: VllmSettings['model']): VllmModelSource {
  if (!onHost) return { kind: 'download', revision, token };
  const { cache, folder, acknowledge: reason } = onHost;
  if (folder !== undefined) return { kind: 'host-folder', path: folder, reason };
  return { kind: 'host-cache', path: cache ?? '', reason, revision };
}
