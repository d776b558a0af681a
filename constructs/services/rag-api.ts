import type { Construct } from 'constructs';
import type { z } from 'zod';
import { LONGEST_SHUTDOWN_SECONDS, RAG_API_VARIABLES, type RagApiSettings } from '../../src/apps/rag-api/settings.js';
import { type Endpoint, SecretRef, Service, secretPath } from '../model/index.js';
import { addSettings, bundledApp, probe, TRUST_VARIABLE } from './bundled-app.js';

const PORT = 8000;
const METRICS_PORT = 9091;

/** What the API is connected to, and its settings. */
export interface RagApiProps {
  /** An image that carries the bundled apps. @default - built from the bundle of this package */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** In MiB. @default 512 */
  readonly memoryMiB?: number | undefined;
  /** What it does; where it listens is its own affair. */
  readonly settings: Omit<z.input<typeof RagApiSettings>, 'listen'>;
  /** Qdrant's REST endpoint. */
  readonly retrieval: Endpoint;
  /** A server that makes vectors, by `POST /v1/embeddings`. @default - BM25 alone */
  readonly embeddings?: Endpoint | undefined;
  /** A server of the OpenAI protocol. */
  readonly llm: Endpoint;
  /** A role of PostgreSQL with rights on the history. */
  readonly history: Endpoint;
}

/** The streaming RAG API. */
export class RagApi extends Service {
  /** Questions and answers, with a key. */
  readonly http: Endpoint;
  /** Prometheus metrics, without a key. */
  readonly metrics: Endpoint;
  #forWebBot: Endpoint | undefined;

  constructor(scope: Construct, id: string, props: RagApiProps) {
    const key = new SecretRef(`${id}-key`, 'asks questions of the RAG API');
    super(scope, id, {
      ...bundledApp('rag-api'),
      ...(props.image === undefined ? {} : { image: { reference: props.image } }),
      containerName: props.containerName,
      memoryMiB: props.memoryMiB ?? 512,
      healthCheck: { command: probe(PORT, '/readyz'), startPeriodSeconds: 60, includesServers: true },
      // Running answers are finished; they may take as long as an answer may take.
      stopGraceSeconds: 10 + Math.min(props.settings.limits.totalSeconds, LONGEST_SHUTDOWN_SECONDS),
    });
    this.http = this.expose('http', { scheme: 'http', port: PORT, credential: key });
    this.metrics = this.expose('metrics', { scheme: 'http', port: METRICS_PORT });
    this.setEnvironment(RAG_API_VARIABLES.apiKeyFile, secretPath(key, 'rereadable'));
    this.connectTo(props.retrieval, {
      url: RAG_API_VARIABLES.qdrantUrl,
      credential: RAG_API_VARIABLES.qdrantKeyFile,
      rereads: true,
      trust: TRUST_VARIABLE,
    });
    this.connectTo(props.llm, {
      url: RAG_API_VARIABLES.llmUrl,
      ...(props.llm.credential ? { credential: RAG_API_VARIABLES.llmKeyFile } : {}),
      rereads: true,
      trust: TRUST_VARIABLE,
    });
    if (props.embeddings) {
      this.connectTo(props.embeddings, {
        url: RAG_API_VARIABLES.embeddingsUrl,
        ...(props.embeddings.credential ? { credential: RAG_API_VARIABLES.embeddingsKeyFile } : {}),
        rereads: true,
      });
    }
    this.connectTo(props.history, {
      url: RAG_API_VARIABLES.postgresUrl,
      credential: RAG_API_VARIABLES.postgresPasswordFile,
      rereads: true,
      trust: TRUST_VARIABLE,
    });
    addSettings(this, {
      listen: { port: PORT, metricsPort: METRICS_PORT },
      ...props.settings,
    } satisfies z.input<typeof RagApiSettings>);
  }
  /** `http` for the web bot, whose key is its own: whoever has it is believed about the addresses of its readers. */
  get forWebBot(): Endpoint {
    if (!this.#forWebBot) {
      const key = new SecretRef(
        `${this.node.id}-web-bot-key`,
        'asks the RAG API in the name of the readers of the chat',
      );
      this.#forWebBot = this.expose('web-bot', { scheme: 'http', port: PORT, credential: key });
      this.setEnvironment(RAG_API_VARIABLES.webBotKeyFile, secretPath(key, 'rereadable'));
    }
    return this.#forWebBot;
  }
}
