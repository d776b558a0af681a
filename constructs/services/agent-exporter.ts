import type { Construct } from 'constructs';
import { AGENT_EXPORTER_VARIABLES, type AgentExporterSettings } from '../../src/apps/agent-exporter/settings.js';
import { type Endpoint, Service, url } from '../model/index.js';
import { addSettings, bundledApp, probe } from './bundled-app.js';

const PORT = 9090;

/** What the exporter reads, and the labels that its numbers may have. */
export interface AgentExporterProps {
  /** An image that carries the bundled apps. @default - built from the bundle of this package */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** In MiB. @default 128 */
  readonly memoryMiB?: number | undefined;
  /** A role of its own, as `Postgres.role` returned it; a `PostgresRoles` job has to grant it `numbers`. */
  readonly numbers: Endpoint;
  /** Qdrant's metrics, as `Qdrant.metrics`: no key comes with them. */
  readonly knowledge: Endpoint;
  /** Which courses and collections are labels; where it listens is its own affair. */
  readonly settings: Omit<AgentExporterSettings, 'listen'>;
}

/**
 * Metrics of what the service is for: exchanges, users, sources and passages. They come from the history and from Qdrant,
 * so they outlive restarts of the RAG API; the role and the port that it reads through show it numbers and no text.
 */
export class AgentExporter extends Service {
  /** Prometheus metrics, without a credential. */
  readonly metrics: Endpoint;

  constructor(scope: Construct, id: string, props: AgentExporterProps) {
    super(scope, id, {
      ...bundledApp('agent-exporter'),
      ...(props.image === undefined ? {} : { image: { reference: props.image } }),
      containerName: props.containerName,
      memoryMiB: props.memoryMiB ?? 128,
      // Healthy also while a source is down, which is one of its metrics.
      healthCheck: { command: probe(PORT, '/metrics') },
      // Stateless, and up in a second or two: a deploy may wait for it.
      deployWaitSeconds: 60,
    });
    this.metrics = this.expose('metrics', { scheme: 'http', port: PORT });
    this.connectTo(props.numbers, {
      url: AGENT_EXPORTER_VARIABLES.postgresUrl,
      credential: AGENT_EXPORTER_VARIABLES.postgresPasswordFile,
      rereads: true,
    });
    this.connectTo(props.knowledge);
    this.setEnvironment(AGENT_EXPORTER_VARIABLES.qdrantMetricsUrl, url(props.knowledge));
    addSettings(this, { listen: { port: PORT }, ...props.settings } satisfies AgentExporterSettings);
  }
}
