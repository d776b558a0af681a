/** Flags that earlier versions had, and what takes their place. Given one, the server ends with exit code 2. */
export const GONE: Readonly<Record<string, string>> = {
  'disable-log-requests': 'Remove it: requests are logged only with `enable-log-requests: true`.',
  'swap-space': 'Remove it; `kv-offloading-size` keeps a part of the cache in main memory.',
  task: 'Remove it, or write `runner: generate` or `runner: pooling`.',
  'num-lookahead-slots': 'Remove it; `speculative-config` takes its place.',
};

/** A flag that is not for users to set, why, and what they set instead. */
interface Owned {
  readonly why: string;
  readonly remedy: string;
}

const typed = (setting: string): Owned => ({
  why: 'has a setting of its own',
  remedy: `Set \`${setting}\` of the server instead.`,
});
const SECRET: Owned = {
  why: 'would put a secret into files, process lists and the log of the server',
  remedy: 'Remove it: secrets go by file, under the names that `ragdock secrets list` shows.',
};
const ADDRESS: Owned = {
  why: 'is where the server listens, which the health check and every client rely on',
  remedy: 'Remove it; set `port` of the server for another port.',
};
const PLAIN: Owned = {
  why: 'changes the protocol, and clients and the health check speak plain HTTP on a closed network',
  remedy: 'Remove it.',
};
const ONE_MACHINE: Owned = {
  why: 'joins servers of several machines or processes, which have no network to each other here',
  remedy: 'Remove it; several cards of this machine are shared with `tensorParallelSize`.',
};

/** Flags that the construct sets, or that would take away what it promises. */
export const OWNED: Readonly<Record<string, Owned>> = {
  'api-key': SECRET,
  'hf-token': SECRET,
  host: ADDRESS,
  port: ADDRESS,
  uds: ADDRESS,
  'root-path': ADDRESS,
  grpc: PLAIN,
  'grpc-port': PLAIN,
  'ssl-keyfile': PLAIN,
  'ssl-certfile': PLAIN,
  'ssl-ca-certs': PLAIN,
  'ssl-cert-reqs': PLAIN,
  'ssl-ciphers': PLAIN,
  'enable-ssl-refresh': PLAIN,
  model: typed('model.name'),
  revision: typed('model.revision'),
  'served-model-name': typed('model.servedName'),
  'max-model-len': typed('maxModelLen'),
  'gpu-memory-utilization': typed('gpuMemoryUtilization'),
  'device-memory-utilization': typed('gpuMemoryUtilization'),
  'trust-remote-code': typed('trustRemoteCode'),
  dtype: typed('dtype'),
  quantization: typed('quantization'),
  'max-num-seqs': typed('maxNumSeqs'),
  'tensor-parallel-size': typed('tensorParallelSize'),
  'enforce-eager': typed('enforceEager'),
  'shutdown-timeout': typed('shutdownTimeoutSeconds'),
  config: { why: 'reads further flags from a file, past every check', remedy: 'Write them under `flags`.' },
  'download-dir': {
    why: 'is where the model was put',
    remedy: 'Remove it; set `volume` or `hostCache` of the server.',
  },
  'device-ids': { why: 'chooses graphics cards', remedy: 'Set `gpus` of the server instead.' },
  'disable-log-stats': {
    why: 'switches the metrics off that Prometheus and the health check read',
    remedy: 'Remove it.',
  },
  headless: ONE_MACHINE,
  nnodes: ONE_MACHINE,
  'node-rank': ONE_MACHINE,
  'master-addr': ONE_MACHINE,
  'master-port': ONE_MACHINE,
  'data-parallel-address': ONE_MACHINE,
  'data-parallel-hybrid-lb': ONE_MACHINE,
  'data-parallel-external-lb': ONE_MACHINE,
  'data-parallel-multi-port-external-lb': ONE_MACHINE,
};

/** Whole numbers of which the parser takes 0, and with which the server never serves. */
export const LEAST_ONE: ReadonlySet<string> = new Set([
  'api-server-count',
  'block-size',
  'cudagraph-capture-sizes',
  'data-parallel-size',
  'data-parallel-size-local',
  'decode-context-parallel-size',
  'kv-cache-memory-bytes',
  'max-cpu-loras',
  'max-loras',
  'max-num-active-seqs',
  'max-num-batched-tokens',
  'max-num-queued-reqs',
  'max-num-queued-tokens',
  'max-num-scheduled-tokens',
  'max-parallel-loading-workers',
  'num-gpu-blocks-override',
  'pipeline-parallel-size',
  'prefill-context-parallel-size',
  'renderer-num-workers',
  'stream-interval',
]);

/** Bounds other than 0 or 1 and up. The parser checks none of them. */
export const RANGES: Readonly<Record<string, { readonly least: number; readonly most: number | undefined }>> = {
  'kv-cache-metrics-sample': { least: 0, most: 1 },
  'max-logprobs': { least: -1, most: undefined },
  watermark: { least: 0, most: 1 },
  'video-pruning-rate': { least: 0, most: 1 },
  'data-parallel-rpc-port': { least: 1, most: 65_535 },
  'data-parallel-supervisor-port': { least: 1, most: 65_535 },
};
