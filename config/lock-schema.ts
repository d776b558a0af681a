import { z } from 'zod';

/** One secret's promise: which version is in force, and a salted fingerprint of its value once there is one. */
const secretPromise = z.strictObject({
  version: z.int().min(1),
  fingerprint: z
    .string()
    .regex(/^sha256:[0-9a-f]{16}:[0-9a-f]{64}$/)
    .optional(),
});

/** `ENV.lock.yaml`: what has been promised. Written by `ragdock lock` and `ragdock secrets`, never by synth. */
export const LockSchema = z
  .strictObject({
    lock: z.literal(1),
    /** Subnet (/29) of each network, by the network's id in the model, such as `rag-api--qdrant`. */
    networks: z.record(z.string(), z.cidrv4()),
    /** Name of each data volume in the engine, by the volume's id in the model, such as `postgres-data`. */
    volumes: z.record(z.string(), z.string()),
    secrets: z.record(z.string(), secretPromise),
    /** Absent while somebody else runs the server. */
    postgres: z.strictObject({ major: z.int().min(15) }).optional(),
    /** How each collection was made. Embedding `none` with dimension 0: BM25 alone. */
    collections: z.record(
      z.string(),
      z.strictObject({ language: z.string(), embedding: z.string(), dimension: z.int().min(0) }),
    ),
    /** Digest (`sha256:…`) of each image that was resolved, by its reference. */
    images: z.record(z.string(), z.string().regex(/^sha256:[0-9a-f]{64}$/)).default({}),
  })
  .readonly();
/** What an environment was promised. */
export type Lock = z.output<typeof LockSchema>;

/** The part of a lock that an engine lowers by. A `Lock` is one. */
export type EnginePromises = Pick<Lock, 'networks' | 'secrets' | 'images'>;

/** What a stack needs to be promised; computed from the model, compared with the lock. */
export interface Promises {
  /** Ids of the networks, sorted. */
  readonly networks: readonly string[];
  /** Names in the engine of the data volumes, by their ids in the model. */
  readonly volumes: Readonly<Record<string, string>>;
  /** Names of the secrets, sorted. */
  readonly secrets: readonly string[];
  /** Major version of the server that keeps the data: 15; undefined while somebody else runs it. */
  readonly postgresMajor: number | undefined;
  /** Where the data of volumes is kept now that were the stack's before, by their ids: `postgres-data`. @default - none */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** How each collection is made, by its name. Embedding `none` with dimension 0: BM25 alone. */
  readonly collections: Readonly<Record<string, { language: string; embedding: string; dimension: number }>>;
}
