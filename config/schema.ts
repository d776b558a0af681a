import { z } from 'zod';
import { KEY_OVERLAP_SECONDS } from '../src/apps/rag-api/settings.js';
import {
  API_CLIENT_LIMITS,
  API_HISTORY_LIMITS,
  API_LIMITS,
  API_RECORD_LIMITS,
  API_SHARES,
  type ApiLimit,
  WEB_BOT_LIMITS,
} from './api-limits.js';
import { Embeddings } from './embeddings.js';
import { externalPostgres, externalQdrant } from './external.js';
import {
  common,
  containerName,
  containerPath,
  duration,
  engineAddress,
  hostName,
  hostPort,
  identifier,
  imageReference,
  memory,
  publish,
  text,
  variableName,
  volumeName,
} from './fields.js';
import { Llm } from './llm.js';
import { gpus } from './model-fields.js';
import { postgresSettings } from './postgres-settings.js';
import { SecretsSchema } from './secret-store.js';
import { StateSchema } from './state.js';

const limit = ({ least, most, usual, meaning }: ApiLimit) =>
  z.int().min(least).max(most).default(usual).describe(meaning);

/** What one question may cost. */
export const ApiLimits = z.strictObject({
  messageCharacters: limit(API_LIMITS.messageCharacters),
  concurrentStreams: limit(API_LIMITS.concurrentStreams),
  firstTokenSeconds: limit(API_LIMITS.firstTokenSeconds),
  idleSeconds: limit(API_LIMITS.idleSeconds),
  totalSeconds: limit(API_LIMITS.totalSeconds),
});
export type ApiLimits = z.output<typeof ApiLimits>;

const share = ({ least, most, meaning }: Omit<ApiLimit, 'usual'>) =>
  z.int().min(least).max(most).optional().describe(meaning);

const deployedApiLimits = z.strictObject({
  ...ApiLimits.shape,
  streamsPerKey: share(API_SHARES.streamsPerKey),
  streamsPerAddress: share(API_SHARES.streamsPerAddress),
  questionsPerMinute: limit(API_CLIENT_LIMITS.questionsPerMinute),
  bodyKiB: limit(API_CLIENT_LIMITS.bodyKiB),
  requestSeconds: limit(API_CLIENT_LIMITS.requestSeconds),
  connections: limit(API_CLIENT_LIMITS.connections),
  connectionsPerAddress: limit(API_CLIENT_LIMITS.connectionsPerAddress),
  recordsPerMinute: share(API_RECORD_LIMITS.recordsPerMinute),
  commentCharacters: share(API_RECORD_LIMITS.commentCharacters),
});

const webBotLimits = z.strictObject({
  socketsPerAddress: limit(WEB_BOT_LIMITS.socketsPerAddress),
  questionsInARow: limit(WEB_BOT_LIMITS.questionsInARow),
  secondsPerQuestion: limit(WEB_BOT_LIMITS.secondsPerQuestion),
  packetKiB: limit(WEB_BOT_LIMITS.packetKiB),
  sessionSeconds: limit(WEB_BOT_LIMITS.sessionSeconds),
  requestSeconds: limit(WEB_BOT_LIMITS.requestSeconds),
  connections: limit(WEB_BOT_LIMITS.connections),
  connectionsPerAddress: limit(WEB_BOT_LIMITS.connectionsPerAddress),
});

export const CourseName = text(/^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,63}$/u, '1 to 64 letters, digits, . _ -');

const LANGUAGES = ['russian', 'english'] as const;

const collection = z.strictObject({
  layout: z
    .enum(['ragdock', 'langchain'])
    .default('ragdock')
    .describe('Who filled it: `ragdock ingest`, or LangChain, whose collections are read as they are'),
  language: z.enum(LANGUAGES).default('russian').describe('Language of stemming and stop words in BM25'),
  limit: z.int().min(1).max(20).default(3).describe('Passages that one question takes from this collection'),
  dense: z
    .boolean()
    .optional()
    .describe('Whether its passages get vectors of services.embeddings as well. Default: whether that is enabled'),
  courseField: text(/^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$/, 'names joined by dots, such as metadata.course')
    .optional()
    .describe('Where LangChain’s points say their course. Default: each belongs to every course'),
});

const gate = z.strictObject({
  similarity: z
    .number()
    .min(-1)
    .max(1)
    .optional()
    .describe('Least cosine between the question and the closest passage. Default: any'),
  support: z
    .number()
    .min(0)
    .optional()
    .describe('Least support by words of the best passage, where no vectors are compared. Default: any'),
});

const collectionName = text(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'letters, digits, _ and -');

const apiHistory = z.strictObject({
  fromFeedback: collectionName
    .optional()
    .describe('The collection that exchanges go to which users were content with. Default: none, nothing is learned'),
  waitingExchanges: share(API_HISTORY_LIMITS.waitingExchanges),
  waitingMiB: share(API_HISTORY_LIMITS.waitingMiB),
});

const extraService = z
  .strictObject({
    image: imageReference.describe('Image to run'),
    container: containerName.optional(),
    entrypoint: z.array(z.string()).optional().describe('Program and first arguments. Default: the image’s'),
    command: z.array(z.string()).optional().describe('Arguments. Default: the image’s'),
    user: text(/^\d+:\d+$/, 'numeric uid:gid')
      .default('1000:1000')
      .describe('User and group that it runs as'),
    memory: memory.prefault('256MiB').describe('Memory limit; no swap on top of it'),
    environment: z
      .record(variableName, z.string())
      .default({})
      .describe('Environment variables; no secrets, which `docker inspect` would show'),
    listen: hostPort.optional().describe('Port on which it serves HTTP; required for publish'),
    publish: publish.optional(),
    volumes: z
      .array(
        z.strictObject({
          name: volumeName.describe('Name of the volume in the engine'),
          path: containerPath.describe('Where it is mounted'),
        }),
      )
      .default([])
      .describe('Data volumes, kept when the stack is destroyed'),
    tmpfs: z.array(containerPath).default([]).describe('Paths that are writable, in memory'),
    connections: z
      .record(
        z.string(),
        z.strictObject({
          url: variableName.describe('Variable that receives the URL'),
          credential: variableName
            .optional()
            .describe('Variable that receives the path of the file with the credential'),
          trust: variableName
            .optional()
            .describe('Variable that receives the path of the file with the certificates of private authorities'),
        }),
      )
      .default({})
      .describe(
        'Services of the stack that it may reach: qdrant, api, webBot, prometheus, embeddings, or `llm.<name>`',
      ),
    healthCheck: z.array(z.string()).min(1).optional().describe('Command that exits 0 while the service is healthy'),
    writableRoot: z
      .strictObject({ reason: z.string().min(8).describe('Why it cannot do without') })
      .optional()
      .describe('Gives back a writable root file system; the reason is listed'),
  })
  .describe('A container that is not one of ragdock’s own');

const outsideRole = z
  .strictObject({
    rights: z.enum(['read', 'write']).default('read').describe('What it may do with the history of answers'),
    from: z
      .array(z.cidrv4({ error: 'expected a range like 192.168.10.0/24' }))
      .default([])
      .describe('Networks of other machines that it may come from. Default: the Docker host alone'),
  })
  .describe('Somebody outside of the stack who reads or writes the database');

/** The whole configuration surface. Types, defaults, the editor’s schema and the reference come from here. */
export const EnvironmentSchema = z
  .strictObject({
    schema: z.literal(1).describe('Version of this format'),
    extends: z.string().optional().describe('A file of the same folder whose settings these are laid over; one level'),
    template: z.boolean().default(false).describe('Only meant to be extended; not an environment of its own'),
    host: z
      .strictObject({
        docker: engineAddress.default('unix:///var/run/docker.sock').describe('Address of the Docker engine'),
        networkPool: z
          .cidrv4({ error: 'expected a range like 10.231.0.0/20' })
          .default('10.231.0.0/20')
          .describe('Private range from which each connection gets a /29 network'),
      })
      .prefault({})
      .describe('The machine that runs the stack'),
    secrets: SecretsSchema.prefault({}).describe('Values never stand in this file'),
    state: StateSchema.optional().describe(
      'Where Terraform keeps the state. Default: `state/<environment>.tfstate`, a local file',
    ),
    services: z
      .strictObject({
        postgres: z
          .strictObject({
            ...common('1GiB'),
            volume: volumeName.optional(),
            backupsVolume: volumeName
              .optional()
              .describe('Name of a volume that is mounted at `/backups`, for dumps. Default: none'),
            publish: publish.optional(),
            roles: z
              .record(text(/^[a-z][a-z0-9_]{0,40}$/, 'lower-case letters, digits and _, a letter first'), outsideRole)
              .default({})
              .describe('Roles that log in through the published port, each with a password of its own, by name'),
            database: text(/^[a-z_][a-z0-9_]{0,62}$/, 'lower-case letters, digits and _')
              .default('ml_db')
              .describe('Name of the database'),
            settings: postgresSettings.prefault({}),
            external: externalPostgres,
          })
          .prefault({})
          .describe('The database of the conversations'),
        qdrant: z
          .strictObject({
            ...common('1GiB'),
            volume: volumeName.optional(),
            recoveryMode: z
              .boolean()
              .default(false)
              .describe('Whether it comes back with its collections closed after it was killed while loading them'),
            publish: publish.optional(),
            publishGrpc: publish.optional().describe('A port of the Docker host that leads to its gRPC interface'),
            external: externalQdrant,
          })
          .prefault({})
          .describe('The vector database'),
        llm: z.record(identifier, Llm).describe('Models by name; the RAG API asks the one that `api.llm` names'),
        embeddings: Embeddings.prefault({}).describe(
          'A model that makes vectors of texts, by which passages are found beside their words',
        ),
        api: z
          .strictObject({
            ...common('512MiB'),
            llm: identifier.default('main').describe('Which of the models answers'),
            collections: z
              .record(collectionName, collection)
              .refine((collections) => Object.keys(collections).length > 0, 'expected at least one collection')
              .prefault({ BD_curs_data: {}, BD_chat_question: {}, BD_organization_question: {} })
              .describe('Collections of Qdrant that a question searches'),
            courses: z.array(CourseName).min(1).describe('Courses that a question may name'),
            noContext: z
              .enum(['refuse', 'general'])
              .default('refuse')
              .describe('Without a passage found: a fixed refusal, or the model’s general knowledge with a notice'),
            gate: gate
              .prefault({})
              .describe(
                'From when on what was found counts as about the question; `ragdock calibrate` gives the values',
              ),
            keyOverlapSeconds: z
              .int()
              .min(0)
              .max(86_400)
              .default(KEY_OVERLAP_SECONDS)
              .describe('How long the old API key is accepted after a new one came'),
            limits: deployedApiLimits.prefault({}).describe('What one question may cost, and what one client may take'),
            history: apiHistory.prefault({}).describe('What is done with exchanges beside keeping them'),
            publish: publish.optional(),
          })
          .describe('The streaming RAG API'),
        webBot: z
          .strictObject({
            ...common('256MiB'),
            enabled: z.boolean().default(true).describe('Whether it is part of the stack'),
            publish: publish.prefault({ port: 8080 }),
            limits: webBotLimits.prefault({}).describe('What one reader may take'),
            trustedProxies: z
              .array(z.cidrv4({ error: 'expected a range like 192.168.10.5/32' }))
              .default([])
              .describe('Reverse proxies whose X-Forwarded-For is believed. Default: none, the peer is the reader'),
            hosts: z
              .array(hostName)
              .default([])
              .describe(
                'Names under which a reverse proxy asks for it. Default: none; any, where other machines reach the port',
              ),
          })
          .prefault({})
          .describe('The chat page'),
        prometheus: z
          .strictObject({
            ...common('512MiB'),
            enabled: z.boolean().default(true).describe('Whether it is part of the stack'),
            volume: volumeName.optional(),
            retention: duration.default('7d').describe('How long samples are kept'),
            scrapeInterval: duration.default('15s').describe('How often every target is asked'),
            alerts: z
              .boolean()
              .default(false)
              .describe('Whether it evaluates the alert rules for the services that the stack has'),
            publish: publish.optional(),
          })
          .prefault({})
          .describe('Collects the metrics of all services'),
        nodeExporter: z
          .strictObject({
            ...common('64MiB'),
            enabled: z.boolean().default(true).describe('Whether it is part of the stack'),
            publish: publish
              .optional()
              .describe('A second address and port on which it listens, beside the one for Prometheus'),
          })
          .prefault({})
          .describe('Metrics of the host; scraped by Prometheus'),
        dcgmExporter: z
          .strictObject({
            ...common('512MiB'),
            enabled: z.boolean().default(false).describe('Whether it is part of the stack'),
            gpus: gpus.prefault({}),
            intervalMs: z
              .int()
              .min(1000)
              .max(600_000)
              .default(15_000)
              .describe('Time between two readings of the cards, in milliseconds'),
            profiling: z
              .boolean()
              .default(false)
              .describe('Reads the counters of the cards’ profiler too; it runs as root with SYS_ADMIN then'),
            publish: publish.optional(),
          })
          .prefault({})
          .describe('Metrics of NVIDIA graphics cards; scraped by Prometheus'),
        agentExporter: z
          .strictObject({
            ...common('128MiB'),
            enabled: z.boolean().default(false).describe('Whether it is part of the stack'),
            scrapeInterval: duration.optional().describe('How often it is asked. Default: as often as every target'),
            publish: publish.optional(),
          })
          .prefault({})
          .describe('Metrics of what is asked and answered, from the history and Qdrant; scraped by Prometheus'),
        postgresExporter: z
          .strictObject({
            ...common('64MiB'),
            enabled: z.boolean().default(false).describe('Whether it is part of the stack'),
            publish: publish.optional(),
          })
          .prefault({})
          .describe('Metrics of PostgreSQL; scraped by Prometheus'),
        alertmanager: z
          .strictObject({
            ...common('128MiB'),
            enabled: z.boolean().default(false).describe('Whether it is part of the stack'),
            volume: volumeName.optional(),
            webhook: z
              .strictObject({
                url: z
                  .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
                  .describe('Where every group of alerts is sent, as a POST of JSON'),
                token: z
                  .boolean()
                  .default(false)
                  .describe('Whether it is shown a bearer token, the secret `alertmanager-webhook-token`'),
              })
              .optional()
              .describe('Who is told. Default: nobody; alerts are seen on its page'),
            repeatInterval: duration.default('4h').describe('Time until an alert that is still there is sent again'),
            publish: publish.optional(),
          })
          .prefault({})
          .describe('Groups the alerts of Prometheus and tells who is to be told'),
        grafana: z
          .strictObject({
            ...common('512MiB'),
            enabled: z.boolean().default(false).describe('Whether it is part of the stack'),
            volume: volumeName.optional(),
            publish: publish.optional(),
          })
          .prefault({})
          .describe('Dashboards of the stack over Prometheus'),
      })
      .describe('The services of the stack'),
    extraServices: z
      .record(identifier, extraService)
      .default({})
      .describe('Containers beside the stack’s own, by name'),
  })
  .readonly();

/** The settings of one environment with every default filled in. */
export type Settings = z.output<typeof EnvironmentSchema>;
export type ExtraServiceSettings = Settings['extraServices'][string];
export type PublishSettings = z.output<typeof publish>;
