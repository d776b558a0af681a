import { Construct } from 'constructs';
import { collectionsOf, type SettledCollection } from '../config/collections.js';
import { contextOf, scrapeJobOf, servedName } from '../config/llm.js';
import type { ExtraServiceSettings, Settings } from '../config/schema.js';
import { type Endpoint, modelError } from '../constructs/model/index.js';
import {
  AgentExporter,
  Alertmanager,
  DcgmExporter,
  type EmbeddingServer,
  type ExternalLlm,
  type ExternalPostgres,
  ExternalQdrant,
  ExtraService,
  Grafana,
  GrafanaAdmin,
  type LlamaCppServer,
  NodeExporter,
  type Postgres,
  type PostgresExporter,
  Prometheus,
  Qdrant,
  QdrantCollections,
  RagApi,
  type VllmServer,
  WebBot,
} from '../constructs/services/index.js';
import { alertRules } from '../dashboards/alerts.js';
import { dashboards } from '../dashboards/index.js';
import type { CollectionSettings } from '../src/rag/retrieval/collection-settings.js';
import { database } from './database.js';
import { embeddingServer, gpusOf, modelServer } from './model-servers.js';

/** The services of one environment and who talks to whom. Reads like a diagram; names no engine. */
export class RagServices extends Construct {
  /** Keeps the history of answers. */
  readonly postgres: Postgres | ExternalPostgres;
  /** Holds the passages. */
  readonly qdrant: Qdrant | ExternalQdrant;
  /** The model servers by their names in the YAML. */
  readonly llms: ReadonlyMap<string, LlamaCppServer | VllmServer | ExternalLlm>;
  /** Makes vectors of texts; undefined when it is disabled. */
  readonly embeddings: EmbeddingServer | undefined;
  /** Answers questions. */
  readonly api: RagApi;
  /** The chat page; undefined when it is disabled. */
  readonly webBot: WebBot | undefined;
  /** Scrapes the others; undefined when it is disabled. */
  readonly prometheus: Prometheus | undefined;
  /** Measures graphics cards; undefined when it is disabled. */
  readonly dcgmExporter: DcgmExporter | undefined;
  /** Measures PostgreSQL; undefined when it is disabled. */
  readonly postgresExporter: PostgresExporter | undefined;
  /** Measures what is asked and answered; undefined when it is disabled. */
  readonly agentExporter: AgentExporter | undefined;
  /** Is sent the alerts; undefined when it is disabled. */
  readonly alertmanager: Alertmanager | undefined;
  /** Shows dashboards; undefined when it is disabled. */
  readonly grafana: Grafana | undefined;

  constructor(scope: Construct, settings: Settings) {
    super(scope, 'services');
    const { qdrant, llm, api, webBot, prometheus } = settings.services;
    const { alertmanager, grafana, embeddings, dcgmExporter } = settings.services;
    const collections = collectionsOf(settings.services);

    const kept = database(this, settings.services);
    this.postgres = kept.server;
    this.postgresExporter = kept.exporter;

    this.qdrant = qdrant.external
      ? new ExternalQdrant(this, 'qdrant', { ...qdrant.external, certificateAuthority: qdrant.external.ca })
      : this.#qdrant(qdrant);
    const made = new QdrantCollections(this, 'qdrant-collections', {
      qdrant: this.qdrant.http,
      collections: collections.map(collectionSettings),
    });

    const knowledge = this.qdrant.metrics;
    this.agentExporter = kept.numbers && knowledge ? this.#agentExporter(settings, kept.numbers, knowledge) : undefined;
    this.agentExporter?.runAfter(kept.prepared);

    this.llms = new Map(Object.entries(llm).map(([name, server]) => [name, modelServer(this, `llm-${name}`, server)]));
    const answering = this.llms.get(api.llm);
    const model = llm[api.llm];
    if (!answering || !model) {
      throw modelError(this, `api.llm names '${api.llm}', which is none of the models`, 'name one of services.llm');
    }

    this.embeddings = embeddings.enabled ? embeddingServer(this, embeddings) : undefined;

    const compared = collections.find(({ embedding }) => embedding !== undefined);
    this.api = new RagApi(this, 'rag-api', {
      image: api.image,
      containerName: api.container,
      memoryMiB: api.memory,
      retrieval: this.qdrant.http,
      llm: answering.http,
      history: kept.history,
      embeddings: compared && this.embeddings?.http,
      settings: {
        collections: collections.map((collection) => ({
          ...collectionSettings(collection),
          limit: collection.limit,
          courseField: collection.courseField,
        })),
        gate: Object.keys(api.gate).length > 0 ? api.gate : undefined,
        embeddings: compared?.embedding,
        courses: [...api.courses],
        noContext: api.noContext,
        llm: {
          model: servedName(model),
          contextTokens: contextOf(model),
          systemPrompt: model.systemPrompt,
          sampling: model.sampling,
        },
        limits: api.limits,
        ...(Object.keys(api.history).length > 0 ? { history: api.history } : {}),
        keyOverlapSeconds: api.keyOverlapSeconds,
      },
    });
    this.api.runAfter(kept.prepared);
    this.api.runAfter(made);
    for (const client of [this.api, this.agentExporter, kept.exporter]) if (client) kept.settled?.runAfter(client);
    if (api.publish) this.api.publish(this.api.http, api.publish);

    this.webBot = webBot.enabled ? this.#webBot(settings) : undefined;
    this.alertmanager = alertmanager.enabled ? this.#alertmanager(alertmanager) : undefined;
    this.dcgmExporter = dcgmExporter.enabled ? this.#dcgmExporter(dcgmExporter) : undefined;
    this.prometheus = prometheus.enabled ? this.#prometheus(settings.services) : undefined;
    this.grafana = grafana.enabled && this.prometheus ? this.#grafana(settings.services, this.prometheus) : undefined;
    for (const [name, extra] of Object.entries(settings.extraServices)) this.#extra(name, extra);
  }

  #agentExporter(
    { services: { agentExporter, api } }: Settings,
    numbers: Endpoint,
    knowledge: Endpoint,
  ): AgentExporter {
    const exporter = new AgentExporter(this, 'agent-exporter', {
      image: agentExporter.image,
      containerName: agentExporter.container,
      memoryMiB: agentExporter.memory,
      numbers,
      knowledge,
      settings: { courses: [...api.courses], collections: Object.keys(api.collections) },
    });
    if (agentExporter.publish) exporter.publish(exporter.metrics, agentExporter.publish);
    return exporter;
  }

  #qdrant(settings: Settings['services']['qdrant']): Qdrant {
    const qdrant = new Qdrant(this, 'qdrant', {
      image: settings.image,
      containerName: settings.container,
      volumeName: settings.volume,
      memoryMiB: settings.memory,
      recoveryMode: settings.recoveryMode,
    });
    if (settings.publish) qdrant.publish(qdrant.http, settings.publish);
    if (settings.publishGrpc) qdrant.publish(qdrant.grpc, settings.publishGrpc);
    return qdrant;
  }

  #dcgmExporter(settings: Settings['services']['dcgmExporter']): DcgmExporter {
    const exporter = new DcgmExporter(this, 'dcgm-exporter', {
      image: settings.image,
      containerName: settings.container,
      memoryMiB: settings.memory,
      gpus: gpusOf(settings.gpus),
      intervalMs: settings.intervalMs,
      profiling: settings.profiling,
    });
    if (settings.publish) exporter.publish(exporter.metrics, settings.publish);
    return exporter;
  }

  #webBot({ services: { api, webBot } }: Settings): WebBot {
    const bot = new WebBot(this, 'web-bot', {
      image: webBot.image,
      containerName: webBot.container,
      memoryMiB: webBot.memory,
      api: this.api.forWebBot,
      hosts: webBot.hosts,
      settings: {
        courses: [...api.courses],
        messageCharacters: api.limits.messageCharacters,
        limits: webBot.limits,
        trustedProxies: [...webBot.trustedProxies],
        api: {
          firstTokenSeconds: api.limits.firstTokenSeconds,
          idleSeconds: api.limits.idleSeconds,
          totalSeconds: api.limits.totalSeconds,
          connections: api.limits.connectionsPerAddress,
        },
      },
    });
    bot.publish(bot.http, webBot.publish);
    return bot;
  }

  #alertmanager(settings: Settings['services']['alertmanager']): Alertmanager {
    const alertmanager = new Alertmanager(this, 'alertmanager', {
      image: settings.image,
      containerName: settings.container,
      volumeName: settings.volume,
      memoryMiB: settings.memory,
      webhook: settings.webhook,
      repeatInterval: settings.repeatInterval,
    });
    if (settings.publish) alertmanager.publish(alertmanager.http, settings.publish);
    return alertmanager;
  }

  #grafana(services: Settings['services'], prometheus: Prometheus): Grafana {
    const { grafana: settings } = services;
    const grafana = new Grafana(this, 'grafana', {
      image: settings.image,
      containerName: settings.container,
      volumeName: settings.volume,
      memoryMiB: settings.memory,
      prometheus: prometheus.http,
      scrapeInterval: services.prometheus.scrapeInterval,
      dashboards: dashboards({
        llm: [...this.llms.values()].some(({ metrics }) => metrics !== undefined),
        qdrant: this.qdrant.metrics !== undefined,
        gpus: this.dcgmExporter !== undefined,
        history: this.agentExporter !== undefined,
      }),
    });
    new GrafanaAdmin(this, 'grafana-admin', { grafana });
    if (settings.publish) grafana.publish(grafana.http, settings.publish);
    return grafana;
  }

  #prometheus({ prometheus: settings, nodeExporter, agentExporter, llm }: Settings['services']): Prometheus {
    const prometheus = new Prometheus(this, 'prometheus', {
      image: settings.image,
      containerName: settings.container,
      volumeName: settings.volume,
      memoryMiB: settings.memory,
      retention: settings.retention,
      scrapeInterval: settings.scrapeInterval,
    });
    prometheus.scrape('rag-api', this.api.metrics);
    // What somebody else runs is measured where its metrics are said to be.
    if (this.qdrant.metrics) prometheus.scrape('qdrant', this.qdrant.metrics);
    for (const [name, { metrics }] of this.llms) if (metrics) prometheus.scrape(scrapeJobOf(name, llm[name]), metrics);
    if (this.embeddings) prometheus.scrape('embeddings', this.embeddings.metrics);
    if (this.dcgmExporter) prometheus.scrape('dcgm', this.dcgmExporter.metrics);
    if (nodeExporter.enabled) {
      const exporter = new NodeExporter(this, 'node-exporter', {
        image: nodeExporter.image,
        containerName: nodeExporter.container,
        memoryMiB: nodeExporter.memory,
        listenAlso: nodeExporter.publish,
      });
      prometheus.scrape('node', exporter.metrics);
    }
    if (this.agentExporter) {
      prometheus.scrape('agent_metrics', this.agentExporter.metrics, { interval: agentExporter.scrapeInterval });
    }
    if (this.postgresExporter) prometheus.scrape('postgres', this.postgresExporter.metrics);
    if (this.alertmanager) {
      prometheus.scrape('alertmanager', this.alertmanager.http);
      prometheus.alert(this.alertmanager.http);
    }
    if (settings.alerts) {
      const watched = {
        node: nodeExporter.enabled,
        postgres: this.postgresExporter !== undefined,
        qdrant: this.qdrant.metrics !== undefined,
        gpus: this.dcgmExporter !== undefined,
        embeddings: this.embeddings !== undefined,
        history: this.agentExporter !== undefined,
      };
      prometheus.addRules('stack', alertRules(watched));
    }
    if (settings.publish) prometheus.publish(prometheus.http, settings.publish);
    return prometheus;
  }

  #extra(name: string, settings: ExtraServiceSettings): void {
    const [uid = 0, gid = 0] = settings.user.split(':').map(Number);
    const extra = new ExtraService(this, name, {
      image: settings.image,
      containerName: settings.container,
      entrypoint: settings.entrypoint,
      command: settings.command,
      user: { uid, gid },
      memoryMiB: settings.memory,
      environment: settings.environment,
      listen: settings.listen,
      tmpfs: settings.tmpfs,
      volumes: settings.volumes,
      healthCheck: settings.healthCheck,
      writableRootReason: settings.writableRoot?.reason,
    });
    for (const [target, as] of Object.entries(settings.connections)) {
      extra.connectTo(this.#endpointNamed(extra, target), {
        url: as.url,
        ...(as.credential === undefined ? {} : { credential: as.credential }),
        ...(as.trust === undefined ? {} : { trust: as.trust }),
      });
    }
    if (settings.publish && extra.http) extra.publish(extra.http, settings.publish);
  }

  /** The endpoint that the YAML calls `qdrant`, `api`, `webBot`, `prometheus`, `embeddings` or `llm.<name>`. */
  #endpointNamed(reader: ExtraService, name: string): Endpoint {
    const endpoint = new Map<string, Endpoint | undefined>([
      ['qdrant', this.qdrant.http],
      ['api', this.api.http],
      ['webBot', this.webBot?.http],
      ['prometheus', this.prometheus?.http],
      ['embeddings', this.embeddings?.http],
      ...[...this.llms].map(([llm, server]) => [`llm.${llm}`, server.http] as const),
    ]).get(name);
    if (!endpoint) {
      throw modelError(
        reader,
        `there is no service '${name}' to connect to`,
        'name qdrant, api, webBot, prometheus, embeddings or llm.<name>',
      );
    }
    return endpoint;
  }
}

/** A collection as the apps' settings have it. */
export function collectionSettings({ name, language, layout, embedding }: SettledCollection): CollectionSettings {
  return { name, language, ...(layout === 'langchain' ? { layout } : {}), ...(embedding ? { embedding } : {}) };
}
