import { z } from 'zod';
import { SearchedCollection } from '../../rag/retrieval/collection-settings.js';

/** How long an old API key is accepted beside a new one, in seconds: a deploy brings the new one to all who present it. */
export const KEY_OVERLAP_SECONDS = 300;

/** What the RAG API is told by its settings file; addresses and credentials come by environment variables. */
export const RagApiSettings = z.strictObject({
  /** Ports inside the container: the API, and /metrics apart from it. */
  listen: z.strictObject({ port: z.int(), metricsPort: z.int() }),
  /** Collections in the order in which their passages enter the prompt. */
  collections: z.array(SearchedCollection).min(1),
  /** From when on what was found counts as about the question. @default - always */
  gate: z.strictObject({ similarity: z.number().optional(), support: z.number().optional() }).optional(),
  /** The model that makes the vectors of questions. @default - none, and BM25 alone */
  embeddings: z.strictObject({ model: z.string(), dimension: z.int().min(1) }).optional(),
  courses: z.array(z.string()).min(1),
  noContext: z.enum(['refuse', 'general']),
  llm: z.strictObject({
    model: z.string(),
    /** Tokens of prompt and answer together that one request may use. */
    contextTokens: z.int(),
    systemPrompt: z.string(),
    sampling: z.strictObject({
      temperature: z.number(),
      topP: z.number(),
      presencePenalty: z.number(),
      frequencyPenalty: z.number(),
      maxTokens: z.int(),
    }),
  }),
  limits: z.strictObject({
    messageCharacters: z.int(),
    concurrentStreams: z.int(),
    firstTokenSeconds: z.int(),
    idleSeconds: z.int(),
    totalSeconds: z.int(),
    /** Of `concurrentStreams`, for the holders of one key. @default - three quarters */
    streamsPerKey: z.int().optional(),
    /** Of `concurrentStreams`, for one client address. @default - half */
    streamsPerAddress: z.int().optional(),
    /** Questions of one client address. */
    questionsPerMinute: z.int().default(60),
    bodyKiB: z.int().default(64),
    requestSeconds: z.int().default(15),
    /** TCP connections open at once, and those of one address. */
    connections: z.int().default(1000),
    connectionsPerAddress: z.int().default(200),
    /** Requests of one client address for exchanges, lists, feedback and erasure. */
    recordsPerMinute: z.int().default(600),
    /** Longest comment of a feedback. */
    commentCharacters: z.int().default(1000),
  }),
  /** What is done with exchanges beside keeping them. */
  history: z
    .strictObject({
      /** The collection that praised exchanges go to. @default - none */
      fromFeedback: z.string().optional(),
      /** How much may wait in memory while PostgreSQL cannot be reached. */
      waitingExchanges: z.int().default(1000),
      waitingMiB: z.int().default(16),
    })
    .prefault({}),
  /** How long the API key before the newest one is accepted after the newest one came. @default KEY_OVERLAP_SECONDS */
  keyOverlapSeconds: z.int().optional(),
});
/** The settings file of the RAG API. */
export type RagApiSettings = z.output<typeof RagApiSettings>;

/**
 * How long running answers may go on after SIGTERM at most, in seconds; an answer that may not take that long anyway
 * is not waited for longer. The container's own grace period has to leave time to save the last exchanges after it.
 */
export const LONGEST_SHUTDOWN_SECONDS = 60;

/** Variables of the container. `…_FILE` is a path without version: the newest `PATH.vN` is read, again after a 401. */
export const RAG_API_VARIABLES = {
  settings: 'RAGDOCK_SETTINGS',
  apiKeyFile: 'API_KEY_FILE',
  webBotKeyFile: 'WEB_BOT_KEY_FILE',
  qdrantUrl: 'QDRANT_URL',
  qdrantKeyFile: 'QDRANT_API_KEY_FILE',
  llmUrl: 'LLM_URL',
  llmKeyFile: 'LLM_API_KEY_FILE',
  embeddingsUrl: 'EMBEDDINGS_URL',
  embeddingsKeyFile: 'EMBEDDINGS_API_KEY_FILE',
  postgresUrl: 'POSTGRES_URL',
  postgresPasswordFile: 'POSTGRES_PASSWORD_FILE',
} as const;
