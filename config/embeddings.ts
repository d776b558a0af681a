import { z } from 'zod';
import { common, text } from './fields.js';
import { gpus, hostFolder, modelsVolume, repository, revision } from './model-fields.js';

/** A model that makes vectors of texts. */
export const Embeddings = z.strictObject({
  ...common('12GiB'),
  enabled: z.boolean().default(false).describe('Whether it is part of the stack'),
  model: z
    .strictObject({
      name: repository
        .default('deepvk/USER-bge-m3')
        .describe('Repository of Hugging Face that holds the model; also the name under which clients ask for it'),
      revision: revision.optional(),
      token: z
        .boolean()
        .default(false)
        .describe('Whether the repository wants a token; the secret `embeddings-model-token` holds it'),
      onHost: z
        .strictObject({
          folder: hostFolder.describe('A folder with the files of this model alone'),
          acknowledge: z.string().min(8).describe('Why the server may read a folder of the host'),
        })
        .optional()
        .describe('Files that the host has already; they are read in place of a download, and never written'),
    })
    .prefault({})
    .describe('A model in the format of Hugging Face'),
  dimension: z
    .int()
    .min(1)
    .max(16_384)
    .default(1024)
    .describe('Numbers of one vector of this model; the smoke tests hold the server to it'),
  volume: modelsVolume,
  user: text(/^[1-9]\d*:\d+$/, 'numeric uid:gid, no root')
    .default('1000:1000')
    .describe('User and group that it runs as; another one where only that one may read `model.onHost`'),
  port: z.int().min(1024).max(65_535).default(8080).describe('Port inside the container'),
  gpus: gpus.optional().describe('Graphics cards; `{}` for all of them. Default: none, it computes on the processor'),
  maxClientBatchSize: z.int().min(1).max(4096).default(32).describe('Texts that one request may bring'),
  maxBatchTokens: z
    .int()
    .min(128)
    .max(1_048_576)
    .default(16_384)
    .describe('Tokens computed at once; at least as many as the longest text that the model takes'),
  maxConcurrentRequests: z.int().min(1).max(65_536).default(512).describe('Texts that are waited for at once'),
  payloadBytes: z.int().min(1024).max(1_073_741_824).default(2_000_000).describe('Longest request, in bytes'),
  startSeconds: z.int().min(60).max(86_400).default(600).describe('Time until it has to be ready'),
});
export type EmbeddingsSettings = z.output<typeof Embeddings>;
