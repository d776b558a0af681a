import { z } from 'zod';
import { externalHttp, keySecret } from './external.js';
import { common, memory, publish, text } from './fields.js';
import { gpus, hostFolder, modelsVolume, repository, revision } from './model-fields.js';

export const Sampling = z
  .strictObject({
    temperature: z.number().min(0).max(2).default(0.7).describe('0 always takes the likeliest token'),
    topP: z.number().gt(0).max(1).default(0.9).describe('Share of the probability that tokens are chosen from'),
    presencePenalty: z.number().min(-2).max(2).default(0).describe('Makes tokens that occurred less likely'),
    frequencyPenalty: z.number().min(-2).max(2).default(0).describe('The same, by how often they occurred'),
    maxTokens: z.int().min(1).max(32_768).default(1024).describe('Most tokens of one answer'),
  })
  .describe('How the RAG API asks the model to choose tokens');

export const SYSTEM_PROMPT =
  'Ты - русскоязычный автоматический ассистент. Твоя задача - отвечать кратко и по делу, сохраняя вежливость и ' +
  'профессионализм. Для технических тем используй точные термины. При работе с кодом объясняй критически важные моменты.';

const publishModel = publish
  .optional()
  .describe('A port of the Docker host that leads to the OpenAI protocol, for programs of the host');

/** What the RAG API says to the model, and how Prometheus calls the server, whoever serves it. */
const conversation = {
  job: text(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, '1 to 63 letters, digits, and . _ -, a letter first')
    .optional()
    .describe('Name of its scrape job in Prometheus. Default: `llm-<name>`'),
  systemPrompt: z.string().min(1).max(8000).default(SYSTEM_PROMPT).describe('What every conversation starts with'),
  sampling: Sampling.prefault({}),
};

const llamaCpp = z
  .strictObject({
    ...common('2GiB'),
    engine: z.literal('llama.cpp').describe('Server that runs the model'),
    model: z
      .strictObject({
        name: z.string().min(1).max(128).describe('Name under which clients ask for the model'),
        file: text(/^[A-Za-z0-9][A-Za-z0-9._-]*\.gguf$/, 'a file name that ends in .gguf').describe(
          'File name in the models volume',
        ),
        url: z
          .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
          .describe('Where the model job downloads the file when the volume lacks it'),
        sha256: text(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits').describe('SHA-256 of the file'),
      })
      .describe('A model in GGUF format'),
    volume: modelsVolume,
    publish: publishModel,
    contextLength: z.int().min(512).max(1_048_576).default(8192).describe('Tokens of prompt and answer together'),
    parallel: z.int().min(1).max(64).default(1).describe('Requests served at once; they share the context'),
    threads: z.int().min(1).max(256).optional().describe('CPU threads. Default: what the server chooses'),
    ...conversation,
  })
  .describe('A model on llama.cpp, for hosts without a GPU');

const vllm = z
  .strictObject({
    ...common('16GiB'),
    engine: z.literal('vllm').describe('Server that runs the model'),
    model: z
      .strictObject({
        name: repository.describe('Repository of Hugging Face that holds the model'),
        servedName: z
          .string()
          .min(1)
          .max(128)
          .optional()
          .describe('Name under which clients ask for the model. Default: the repository’s'),
        revision: revision.optional(),
        token: z
          .boolean()
          .default(false)
          .describe('Whether the repository wants a token; the secret `llm-<name>-model-token` holds it'),
        onHost: z
          .strictObject({
            cache: hostFolder.optional().describe('A cache of Hugging Face, such as `/home/me/.cache/huggingface`'),
            folder: hostFolder.optional().describe('A folder with the files of this model alone'),
            acknowledge: z.string().min(8).describe('Why the server may read a folder of the host'),
          })
          .optional()
          .describe('Files that the host has already; they are read in place of a download, and never written'),
      })
      .describe('A model in the format of Hugging Face'),
    volume: modelsVolume,
    publish: publishModel,
    user: text(/^[1-9]\d*:\d+$/, 'numeric uid:gid, no root')
      .default('2000:2000')
      .describe('User and group that it runs as; another one where only that one may read `model.onHost`'),
    port: z.int().min(1024).max(65_535).default(8010).describe('Port inside the container'),
    gpus: gpus.prefault({}),
    sharedMemory: memory
      .optional()
      .describe('Size of /dev/shm, part of `memory`. Default: 1GiB for each card of tensorParallelSize'),
    maxModelLen: z.int().min(512).max(10_485_760).describe('Tokens of prompt and answer together'),
    gpuMemoryUtilization: z
      .number()
      .gt(0)
      .max(1)
      .default(0.92)
      .describe('Share of the memory of each card that it takes, whatever the model needs'),
    trustRemoteCode: z.boolean().default(false).describe('Runs program code that comes with the model'),
    dtype: z
      .enum(['auto', 'half', 'float16', 'bfloat16', 'float', 'float32'])
      .default('auto')
      .describe('Type of the weights while they are computed with'),
    quantization: text(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'a method such as gptq, awq or fp8')
      .optional()
      .describe('Method by which the weights were quantised. Default: what the model says'),
    maxNumSeqs: z.int().min(1).max(65_536).optional().describe('Requests served at once. Default: the server’s choice'),
    tensorParallelSize: z.int().min(1).max(64).default(1).describe('Cards that share one copy of the model'),
    enforceEager: z.boolean().default(false).describe('Starts sooner and answers slower'),
    flags: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Further flags of `vllm serve` by name, without dashes in front; each is checked'),
    restart: z
      .enum(['unless-stopped', 'always'])
      .default('unless-stopped')
      .describe('`always` starts it with the engine although somebody stopped it'),
    startSeconds: z.int().min(60).max(86_400).default(1800).describe('Time until it has to be ready'),
    stallSeconds: z
      .int()
      .min(30)
      .max(3600)
      .optional()
      .describe('Unhealthy when requests are open and no token came for so long. Default: tokens are not looked at'),
    shutdownSeconds: z.int().min(1).max(600).default(30).describe('Time that open answers get when it is stopped'),
    ...conversation,
  })
  .describe('A model on vLLM, for hosts with NVIDIA graphics cards');

const openAi = z
  .strictObject({
    engine: z.literal('openai').describe('Server that runs the model'),
    ...externalHttp,
    url: externalHttp.url.describe('Base address of the OpenAI protocol; it may end in `/v1`'),
    model: z.string().min(1).max(128).describe('Name under which clients ask for the model'),
    contextLength: z.int().min(512).max(10_485_760).describe('Tokens of prompt and answer together'),
    keySecret: keySecret.describe('Name of the secret with its key. Default: the server asks for no key'),
    ...conversation,
  })
  .describe('A model on a server that somebody else runs, behind the OpenAI protocol');

/** A model server: `engine` says which. */
export const Llm = z.discriminatedUnion('engine', [llamaCpp, vllm, openAi]);
export type LlmSettings = z.output<typeof Llm>;
export type LlamaCppSettings = z.output<typeof llamaCpp>;
export type VllmSettings = z.output<typeof vllm>;
export type ExternalLlmSettings = z.output<typeof openAi>;

/** The name under which clients ask for the model. */
export function servedName(llm: LlmSettings): string {
  switch (llm.engine) {
    case 'vllm':
      return llm.model.servedName ?? llm.model.name;
    case 'llama.cpp':
      return llm.model.name;
    case 'openai':
      return llm.model;
  }
}

/** The job under which Prometheus scrapes the model server that the YAML calls `name`. */
export const scrapeJobOf = (name: string, llm: LlmSettings | undefined): string => llm?.job ?? `llm-${name}`;

/** Tokens of prompt and answer together that one request can have. */
export function contextOf(llm: LlmSettings): number {
  switch (llm.engine) {
    case 'vllm':
      return llm.maxModelLen;
    case 'llama.cpp':
      return Math.floor(llm.contextLength / llm.parallel);
    case 'openai':
      return llm.contextLength;
  }
}

/** Cards that one server needs. */
export const cardsOf = (llm: VllmSettings): number =>
  llm.tensorParallelSize *
  (typeof llm.flags['pipeline-parallel-size'] === 'number' ? llm.flags['pipeline-parallel-size'] : 1);
