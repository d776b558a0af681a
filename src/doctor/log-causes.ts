/** What a line of a log says about why a service does not work. */
export interface LogCause {
  /** Stable name of the finding. */
  readonly id: string;
  /** Services that write it, by the name of their construct; the same words of another one mean something else. */
  readonly writers: readonly Writer[];
  /** Matches one line; named groups go into `meaning` and `remedy` as `<name>`. */
  readonly line: RegExp;
  readonly meaning: string;
  /** `<id>` is the service's id, `<env>` the environment's name. */
  readonly remedy: string;
}

/** The constructs whose logs are read. */
export type Writer = 'vllm' | 'llama.cpp' | 'embeddings' | 'qdrant' | 'postgres' | 'model-job' | 'dcgm';

const ON_CARDS: readonly Writer[] = ['vllm', 'llama.cpp', 'embeddings', 'dcgm'];

/**
 * Causes by their words, the most telling first: of several in one log the first of this list is the finding. The words
 * of vLLM are those of 0.32.0, recorded, and of issues of its users; those of PostgreSQL are of 15.
 */
export const LOG_CAUSES: readonly LogCause[] = [
  {
    id: 'gpu-lost',
    writers: ON_CARDS,
    line: /Failed to initialize NVML: (?<why>.+)/,
    meaning:
      'The container has lost its graphics cards: most often systemd was reloaded, which takes devices from running containers, or the driver was updated under it (<why>).',
    remedy: 'docker restart <container>; for good: "exec-opts": ["native.cgroupdriver=cgroupfs"] in daemon.json',
  },
  {
    id: 'model-too-long-for-cards',
    writers: ['vllm'],
    line: /estimated maximum model length is (?<tokens>\d+)/,
    meaning: 'The cards have no memory for one request of contextTokens; they have it for <tokens> tokens.',
    remedy: 'Set services.llm.<name>.contextTokens: <tokens> or less, or raise gpuMemoryUtilization, and deploy',
  },
  {
    id: 'gpu-memory-exhausted',
    writers: ['vllm', 'embeddings'],
    line: /CUDA out of memory|No available memory for the cache blocks|NVML_SUCCESS == r INTERNAL ASSERT FAILED/,
    meaning: 'The memory of the graphics cards does not hold the model, its cache, and what others have on them.',
    remedy: 'nvidia-smi shows who else is there; then a smaller contextTokens, or a smaller gpuMemoryUtilization',
  },
  {
    id: 'model-files-missing',
    writers: ['vllm', 'embeddings'],
    line: /LocalEntryNotFoundError|Repo id must be in the form|outgoing traffic has been disabled/,
    meaning: 'The files of the model are not where the server looks for them, and it may not fetch any.',
    remedy: 'Run the model job again by a deploy, or bring them: npx ragdock model import FOLDER --env <env>',
  },
  {
    id: 'model-context-too-long',
    writers: ['vllm'],
    line: /max_model_len \((?<asked>\d+)\) is greater than the derived max_model_len \(\w+=(?<most>\d+)/,
    meaning: 'contextTokens is <asked>, and the model was made for <most>.',
    remedy: 'Set services.llm.<name>.contextTokens: <most> or less, and deploy',
  },
  {
    id: 'model-token-missing',
    writers: ['model-job'],
    line: /\b(?:401|403)\b.*(?:huggingface|hub)|(?:huggingface|hub).*\b(?:401|403)\b/i,
    meaning: 'The repository of the model wants a token, or a licence that was accepted, and the job has neither.',
    remedy: 'Accept the licence, set model.token: true, and npx ragdock secrets set <env> <id>-token',
  },
  {
    id: 'model-download-without-network',
    writers: ['model-job'],
    line: /\b(?:ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\b/,
    meaning: 'The job that downloads the model does not reach the server that has it.',
    remedy: 'Give the host a way out, or bring the files: npx ragdock model import FILE --env <env>',
  },
  {
    id: 'postgres-other-major',
    writers: ['postgres'],
    line: /data directory was initialized by PostgreSQL version (?<had>\d+), which is not compatible with this version (?<has>\d+)/,
    meaning: 'The volume holds the data of PostgreSQL <had>, and the image is <has>.',
    remedy: 'Set services.postgres.image back to major <had>, or move the data: docs/services/postgres.md',
  },
  {
    id: 'postgres-other-password',
    writers: ['postgres'],
    line: /password authentication failed for user "(?<role>[^"]+)"/,
    meaning:
      'Somebody comes as <role> with a password that the database does not know: its volume was made with another one, or a deploy was cut off between the two.',
    remedy: 'npx cdktf deploy <env> runs the job again that sets passwords; with another volume: its own secrets',
  },
  {
    id: 'disk-full',
    writers: ['postgres', 'qdrant', 'model-job'],
    line: /No space left on device|not enough disk space|ENOSPC/i,
    meaning: 'The disk of the engine is full.',
    remedy: 'docker system df; then free room, or move the volume to a larger disk',
  },
  {
    id: 'volume-not-writable',
    writers: ['postgres', 'qdrant', 'model-job', 'vllm', 'embeddings'],
    line: /(?:Permission denied|EACCES|could not (?:open|create|change permissions)[^:]*: Operation not permitted)/i,
    meaning: 'The user of the container may not use a file or a folder of its volume: it belongs to somebody else.',
    remedy: 'npx cdktf deploy <env> runs the job again that gives volumes to their users',
  },
];
