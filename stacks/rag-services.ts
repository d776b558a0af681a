import { Construct } from 'constructs';
import { contextOf, type LlmSettings, scrapeJobOf, servedName, type VllmSettings } from '../config/llm.js';
import type { ExtraServiceSettings, Settings } from '../config/schema.js';
import { type Endpoint, modelError } from '../constructs/model/index.js';
import {
  AgentExporter,
  Alertmanager,
  ExtraService,
  Grafana,
  GrafanaAdmin,
  LlamaCppServer,
  NodeExporter,
  Postgres,
  PostgresExporter,
  PostgresRoles,
  Prometheus,
  Qdrant,
  QdrantCollections,
  RagApi,
  type VllmFlags,
  type VllmModelSource,
  VllmServer,
  WebBot,
} from '../constructs/services/index.js';
import { alertRules } from '../dashboards/alerts.js';
import { dashboards } from '../dashboards/index.js';

/** The services of one environment and who talks to whom. Reads like a diagram; names no engine. */
export class RagServices extends Construct {
  /** Keeps the history of answers. */
  readonly postgres: Postgres;
  /** Holds the passages. */
  readonly qdrant: Qdrant;
  /** The model servers by their names in the YAML. */
  readonly llms: ReadonlyMap<string, LlamaCppServer | VllmServer>;
  /** Answers questions. */
  readonly api: RagApi;
  /** The chat page; undefined when it is disabled. */
  readonly webBot: WebBot | undefined;
  /** Scrapes the others; undefined when it is disabled. */
  readonly prometheus: Prometheus | undefined;
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
    const { postgres, qdrant, llm, api, webBot, prometheus, postgresExporter } = settings.services;
    const { agentExporter, alertmanager, grafana } = settings.services;
    const collections = Object.entries(api.collections).map(([name, { language, limit }]) => ({
      name,
      language,
      limit,
    }));

    this.postgres = new Postgres(this, 'postgres', {
      image: postgres.image,
      containerName: postgres.container,
      volumeName: postgres.volume,
      memoryMiB: postgres.memory,
      database: postgres.database,
      settings: postgres.settings,
    });
    const history = this.postgres.role('rag_api');
    const numbers = agentExporter.enabled ? this.postgres.role('agent_exporter') : undefined;
    const statistics = postgresExporter.enabled ? this.postgres.role('postgres_exporter') : undefined;
    const roles = new PostgresRoles(this, 'postgres-roles', {
      postgres: this.postgres,
      roles: [
        { endpoint: history, grants: 'history' },
        ...(numbers ? [{ endpoint: numbers, grants: 'numbers' } as const] : []),
        ...(statistics ? [{ endpoint: statistics, grants: 'monitor' } as const] : []),
      ],
    });
    this.postgresExporter = statistics
      ? new PostgresExporter(this, 'postgres-exporter', {
          image: postgresExporter.image,
          containerName: postgresExporter.container,
          memoryMiB: postgresExporter.memory,
          role: statistics,
        })
      : undefined;
    this.postgresExporter?.runAfter(roles);
    if (postgresExporter.publish)
      this.postgresExporter?.publish(this.postgresExporter.metrics, postgresExporter.publish);

    this.qdrant = new Qdrant(this, 'qdrant', {
      image: qdrant.image,
      containerName: qdrant.container,
      volumeName: qdrant.volume,
      memoryMiB: qdrant.memory,
    });
    const made = new QdrantCollections(this, 'qdrant-collections', {
      qdrant: this.qdrant.http,
      collections: collections.map(({ name, language }) => ({ name, language })),
    });

    this.agentExporter = numbers ? this.#agentExporter(settings, numbers) : undefined;
    this.agentExporter?.runAfter(roles);

    this.llms = new Map(Object.entries(llm).map(([name, server]) => [name, this.#modelServer(`llm-${name}`, server)]));
    const answering = this.llms.get(api.llm);
    const model = llm[api.llm];
    if (!answering || !model) {
      throw modelError(this, `api.llm names '${api.llm}', which is none of the models`, 'name one of services.llm');
    }

    this.api = new RagApi(this, 'rag-api', {
      image: api.image,
      containerName: api.container,
      memoryMiB: api.memory,
      retrieval: this.qdrant.http,
      llm: answering.http,
      history,
      settings: {
        collections,
        courses: [...api.courses],
        noContext: api.noContext,
        llm: {
          model: servedName(model),
          contextTokens: contextOf(model),
          systemPrompt: model.systemPrompt,
          sampling: model.sampling,
        },
        limits: api.limits,
      },
    });
    this.api.runAfter(roles);
    this.api.runAfter(made);
    if (api.publish) this.api.publish(this.api.http, api.publish);

    this.webBot = webBot.enabled ? this.#webBot(settings) : undefined;
    this.alertmanager = alertmanager.enabled ? this.#alertmanager(alertmanager) : undefined;
    this.prometheus = prometheus.enabled ? this.#prometheus(settings.services) : undefined;
    this.grafana = grafana.enabled && this.prometheus ? this.#grafana(settings.services, this.prometheus) : undefined;
    for (const [name, extra] of Object.entries(settings.extraServices)) this.#extra(name, extra);
  }

  #agentExporter({ services: { agentExporter, api } }: Settings, numbers: Endpoint): AgentExporter {
    const exporter = new AgentExporter(this, 'agent-exporter', {
      image: agentExporter.image,
      containerName: agentExporter.container,
      memoryMiB: agentExporter.memory,
      numbers,
      knowledge: this.qdrant.metrics,
      settings: { courses: [...api.courses], collections: Object.keys(api.collections) },
    });
    if (agentExporter.publish) exporter.publish(exporter.metrics, agentExporter.publish);
    return exporter;
  }

  #modelServer(id: string, server: LlmSettings): LlamaCppServer | VllmServer {
    if (server.engine === 'vllm') return this.#vllm(id, server);
    return new LlamaCppServer(this, id, {
      image: server.image,
      containerName: server.container,
      volumeName: server.volume,
      memoryMiB: server.memory,
      model: server.model,
      contextLength: server.contextLength,
      parallel: server.parallel,
      threads: server.threads,
    });
  }

  #vllm(id: string, server: VllmSettings): VllmServer {
    const [uid = 0, gid = 0] = server.user.split(':').map(Number);
    const { name, servedName: alias } = server.model;
    return new VllmServer(this, id, {
      image: server.image,
      containerName: server.container,
      volumeName: server.volume,
      memoryMiB: server.memory,
      shmSizeMiB: server.sharedMemory,
      user: { uid, gid },
      model: { name, servedName: alias, source: sourceOf(server.model) },
      port: server.port,
      gpus: { devices: server.gpus.devices ?? 'all', handedOutBy: server.gpus.by },
      maxModelLen: server.maxModelLen,
      gpuMemoryUtilization: server.gpuMemoryUtilization,
      trustRemoteCode: server.trustRemoteCode,
      dtype: server.dtype === 'auto' ? undefined : server.dtype,
      quantization: server.quantization,
      maxNumSeqs: server.maxNumSeqs,
      tensorParallelSize: server.tensorParallelSize,
      enforceEager: server.enforceEager,
      // The rules have looked at every one of them.
      flags: server.flags as VllmFlags,
      restart: server.restart,
      startPeriodSeconds: server.startSeconds,
      stallSeconds: server.stallSeconds,
      shutdownTimeoutSeconds: server.shutdownSeconds,
    });
  }

  #webBot({ services: { api, webBot } }: Settings): WebBot {
    const bot = new WebBot(this, 'web-bot', {
      image: webBot.image,
      containerName: webBot.container,
      memoryMiB: webBot.memory,
      api: this.api.http,
      settings: {
        courses: [...api.courses],
        messageCharacters: api.limits.messageCharacters,
        api: {
          firstTokenSeconds: api.limits.firstTokenSeconds,
          idleSeconds: api.limits.idleSeconds,
          totalSeconds: api.limits.totalSeconds,
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
    const { grafana: settings, agentExporter } = services;
    const grafana = new Grafana(this, 'grafana', {
      image: settings.image,
      containerName: settings.container,
      volumeName: settings.volume,
      memoryMiB: settings.memory,
      prometheus: prometheus.http,
      scrapeInterval: services.prometheus.scrapeInterval,
      dashboards: dashboards({ history: agentExporter.enabled }),
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
    prometheus.scrape('qdrant', this.qdrant.metrics);
    for (const [name, server] of this.llms) prometheus.scrape(scrapeJobOf(name, llm[name]), server.metrics);
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
      });
    }
    if (settings.publish && extra.http) extra.publish(extra.http, settings.publish);
  }

  /** The endpoint that the YAML calls `qdrant`, `api`, `webBot`, `prometheus` or `llm.<name>`. */
  #endpointNamed(reader: ExtraService, name: string): Endpoint {
    const endpoint = new Map<string, Endpoint | undefined>([
      ['qdrant', this.qdrant.http],
      ['api', this.api.http],
      ['webBot', this.webBot?.http],
      ['prometheus', this.prometheus?.http],
      ...[...this.llms].map(([llm, server]) => [`llm.${llm}`, server.http] as const),
    ]).get(name);
    if (!endpoint) {
      throw modelError(
        reader,
        `there is no service '${name}' to connect to`,
        'name qdrant, api, webBot, prometheus or llm.<name>',
      );
    }
    return endpoint;
  }
}

function sourceOf({ revision, token, onHost }: VllmSettings['model']): VllmModelSource {
  if (!onHost) return { kind: 'download', revision, token };
  const { cache, folder, acknowledge: reason } = onHost;
  if (folder !== undefined) return { kind: 'host-folder', path: folder, reason };
  return { kind: 'host-cache', path: cache ?? '', reason, revision };
}
