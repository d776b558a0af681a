import type { FindingId } from './catalogue/index.js';

/** Whose words they are: a service, a job that works for it, or the engine's reason for not starting a container. */
export type Writer =
  | 'engine'
  | 'vllm'
  | 'llama.cpp'
  | 'embeddings'
  | 'dcgm'
  | 'qdrant'
  | 'postgres'
  | 'rag-api'
  /** Downloads a repository. */
  | 'model-job'
  /** Downloads one file by its address. */
  | 'model-file-job'
  | 'ownership-job'
  | 'roles-job'
  | 'collections-job';

/** What a line of a log says about why something does not work. */
export interface LogCause {
  readonly id: FindingId;
  /** Who writes it; the same words of another one mean something else. */
  readonly writers: readonly Writer[];
  /** Matches one line; named groups are what the texts of the finding are filled with. */
  readonly line: RegExp;
  /**
   * When the line counts although its writer is well by its probes: as long as it runs, in the last minutes, or when a
   * client of it is not well.
   *
   * @default - never
   */
  readonly whileWell?: 'running' | 'recent' | 'client-fails';
}

const ON_CARDS: readonly Writer[] = ['vllm', 'llama.cpp', 'embeddings', 'dcgm'];

/**
 * Causes by their words, the most telling first: of several in one log the first of this list is the finding. The words
 * of vLLM are those of 0.32.0, recorded, and of issues of its users; those of PostgreSQL are of 15, of Qdrant of 1.19,
 * of the engine of 20.10 to 29; the jobs' and the API's are our own.
 */
export const LOG_CAUSES: readonly LogCause[] = [
  { id: 'gpu-lost', writers: ON_CARDS, line: /(?<nvml>Failed to initialize NVML: .+)/, whileWell: 'recent' },
  {
    id: 'gpu-lost',
    writers: ['engine'],
    line: /nvidia-container-cli: (?<nvml>(?:initialization error|[a-z]+ error: nvml error)[^\n]*)/,
  },
  {
    id: 'gpu-driver-too-old',
    writers: ['engine'],
    line: /nvidia-container-cli: requirement error: unsatisfied condition: (?<wants>[^,\\\n]*[^,\\\n ])/,
  },
  {
    id: 'gpu-unknown',
    writers: ['engine'],
    line: /nvidia-container-cli: device error: (?<device>[^:\s]+): unknown device/,
  },
  {
    id: 'nvidia-runtime-missing',
    writers: ['engine'],
    line: /could not select device driver .* with capabilities: \[\[.*gpu.*\]\]|Unknown runtime specified nvidia|unknown or invalid runtime name: nvidia/,
  },
  {
    id: 'port-taken',
    writers: ['engine'],
    line: /(?:Bind for|listen tcp[46]?|failed to bind host port(?: for)?) (?:[\d.]+|\[?::\]?):(?<port>\d+)\b.*(?:port is already allocated|address already in use)/,
  },
  { id: 'network-addresses-taken', writers: ['engine'], line: /Pool overlaps with other one on this address space/ },
  {
    id: 'network-pool-exhausted',
    writers: ['engine'],
    line: /no available IPv4 addresses on this network's address pools|could not find an available, non-overlapping IPv4 address pool|all predefined address pools have been fully subnetted/,
  },
  { id: 'model-too-long-for-cards', writers: ['vllm'], line: /estimated maximum model length is (?<tokens>\d+)/ },
  {
    id: 'gpu-memory-exhausted',
    writers: ['vllm', 'embeddings', 'llama.cpp'],
    line: /CUDA out of memory|CUDA error: out of memory|CUDA_ERROR_OUT_OF_MEMORY|NVML_SUCCESS == r INTERNAL ASSERT FAILED|Free memory on device .* is less than desired GPU memory utilization/,
  },
  { id: 'gpu-cache-too-small', writers: ['vllm'], line: /No available memory for the cache blocks/ },
  {
    id: 'model-files-missing',
    writers: ['vllm', 'embeddings'],
    line: /LocalEntryNotFoundError|Repo id must be in the form|Invalid repository ID or local directory specified|Cannot find any model weights|outgoing traffic has been disabled|leads to no model: there is no/,
  },
  {
    id: 'model-files-missing',
    writers: ['llama.cpp'],
    line: /failed to open GGUF file(?!.*Permission denied)/,
  },
  {
    id: 'model-context-too-long',
    writers: ['vllm'],
    line: /max_model_len \((?<asked>\d+)\) is greater than the derived max_model_len \(\w+=(?<most>\d+)/,
  },
  { id: 'model-token-missing', writers: ['model-job'], line: /the server answered (?:401|403)\b/ },
  { id: 'model-file-refused', writers: ['model-file-job'], line: /the server answered (?:401|403)\b/ },
  {
    id: 'model-download-without-network',
    writers: ['model-job', 'model-file-job'],
    // What was tried again has ended nothing.
    line: /^(?!.*(?:was interrupted and goes on|; trying again)).*\b(?:ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)\b/,
  },
  {
    id: 'postgres-other-major',
    writers: ['postgres'],
    line: /data directory was initialized by PostgreSQL version (?<had>\d+), which is not compatible with this version (?<has>\d+)/,
  },
  {
    id: 'postgres-other-password',
    writers: ['postgres'],
    line: /password authentication failed for user "[^"]+"/,
    whileWell: 'client-fails',
  },
  {
    id: 'postgres-other-password',
    writers: ['rag-api'],
    line: /password authentication failed for user \\?"[^"\\]+/,
  },
  {
    id: 'postgres-other-password',
    writers: ['roles-job'],
    line: /PostgreSQL (?:at \S+ )?refuses the (?:superuser's )?password/,
  },
  {
    id: 'qdrant-recovery-mode',
    writers: ['qdrant'],
    line: /Qdrant is loaded in recovery mode|it starts again in recovery mode/,
    whileWell: 'running',
  },
  {
    id: 'collection-mismatch',
    writers: ['collections-job', 'rag-api'],
    line: /collection (?<collection>\S+) was made otherwise: /,
    whileWell: 'recent',
  },
  {
    id: 'embedding-mismatch',
    writers: ['rag-api'],
    line: /was said to make vectors of (?<said>\d+) numbers, and this one has (?<has>\d+)/,
    whileWell: 'recent',
  },
  {
    id: 'shared-memory-exhausted',
    writers: ['vllm'],
    line: /shared memory segment \S*\/dev\/shm\/.*No space left on device|failed to extend \/dev\/shm\/.*No space left on device/,
  },
  {
    id: 'disk-full',
    writers: ['postgres', 'qdrant', 'model-job', 'model-file-job', 'vllm', 'engine'],
    // The kernel says the same where memory that is shared, semaphores or groups of processes are used up.
    line: /^(?!.*(?:shared memory segment|\/dev\/shm\/|create semaphores|\/sys\/fs\/cgroup\/)).*(?:No space left on device|not enough (?:disk )?space available|ENOSPC)/im,
    whileWell: 'recent',
  },
  {
    id: 'memory-exhausted',
    writers: ['postgres'],
    line: /was terminated by signal 9: Killed/,
    whileWell: 'recent',
  },
  {
    id: 'volume-not-writable',
    writers: ['qdrant', 'model-job', 'model-file-job', 'vllm', 'llama.cpp', 'embeddings', 'ownership-job'],
    line: /Permission denied|\bEACCES\b|(?:chown|EPERM)\b.*not permitted/i,
  },
  {
    id: 'volume-not-writable',
    writers: ['postgres'],
    // To clients it says the like of tables, roles, settings, and of files that they name; its own are named from the
    // data folder on.
    line: /(?:\b(?:FATAL|PANIC|initdb|mkdir|chmod|find|postgres):.*|could not \w+ (?:file|directory) "[^/"][^"]*"): Permission denied$|(?:could not change permissions of|changing (?:permissions|ownership) of|chown)\b.*not permitted|has wrong ownership/,
  },
];
