import type { Environment } from '../../config/environment.js';
import { type LlmSettings, servedName } from '../../config/llm.js';
import { type Endpoint, hostPort, Service, type Workload, workloadsOf } from '../../constructs/model/index.js';
import { NodeExporter } from '../../constructs/services/index.js';
import { DATA_SOURCE } from '../../dashboards/index.js';
import type { PathPlan, Target } from '../apps/operator/smoke/protocol.js';
import type { SessionAccess } from '../operator/session-plan.js';
import type { DescribedStack } from '../operator/stack.js';

/** Beyond the longest answer of the API: saving it, and its way back. In seconds. */
const ANSWER_MARGIN_SECONDS = 10;

/** A service that can be asked by its own protocol, before it is known how it is reached. */
export interface TargetSource {
  readonly service: Workload;
  readonly endpoints: readonly Endpoint[];
  readonly target: (access: SessionAccess) => Target;
}

/** Everything of a stack that speaks a protocol we know. Other containers are looked at from outside alone. */
export function targetsOf({ environment, services, topology }: DescribedStack): readonly TargetSource[] {
  const { settings } = environment;
  const common = (service: Workload) => ({ id: service.node.id, needs: [...needsOf(service)] });
  const { postgres, qdrant, api, webBot, prometheus, agentExporter, postgresExporter, alertmanager, grafana } =
    services;
  const history = api.connections.find((endpoint) => endpoint.owner === postgres);
  const exporter = workloadsOf(services).find((workload) => workload instanceof NodeExporter);
  const { collections } = settings.services.api;
  return [
    ...(history
      ? [
          source(postgres, history, (url, passwordFile) => ({
            ...common(postgres),
            kind: 'postgres',
            url,
            passwordFile,
            settings: given(settings.services.postgres.settings),
          })),
        ]
      : []),
    source(qdrant, qdrant.http, (url, keyFile) => ({
      ...common(qdrant),
      kind: 'qdrant',
      url,
      keyFile,
      collections: Object.entries(collections).map(([name, { language }]) => ({ name, language })),
    })),
    ...[...services.llms].map(([name, llm]) =>
      source(llm, llm.http, (url, keyFile) => ({
        ...common(llm),
        kind: 'llm',
        url,
        keyFile,
        model: nameOf(settings.services.llm[name]),
      })),
    ),
    source(api, api.http, (url, keyFile) => ({ ...common(api), kind: 'rag-api', url, keyFile })),
    ...(webBot ? [source(webBot, webBot.http, (url) => ({ ...common(webBot), kind: 'web-bot', url }))] : []),
    ...(prometheus
      ? [
          source(prometheus, prometheus.http, (url) => ({
            ...common(prometheus),
            kind: 'prometheus',
            url,
            scrapeSeconds: secondsOf(settings.services.prometheus.scrapeInterval),
            targets: prometheus.connections.map((endpoint) => ({
              service: endpoint.owner.node.id,
              instance: topology.render(hostPort(endpoint), prometheus),
            })),
            alertmanagers: alertmanager ? [topology.render(hostPort(alertmanager.http), prometheus)] : [],
          })),
        ]
      : []),
    ...(exporter instanceof NodeExporter
      ? [source(exporter, exporter.metrics, (url) => ({ ...common(exporter), kind: 'node-exporter', url }))]
      : []),
    ...(agentExporter
      ? [
          source(agentExporter, agentExporter.metrics, (url) => ({
            ...common(agentExporter),
            kind: 'agent-exporter',
            url,
            collections: Object.keys(collections),
          })),
        ]
      : []),
    ...(postgresExporter
      ? [
          source(postgresExporter, postgresExporter.metrics, (url) => ({
            ...common(postgresExporter),
            kind: 'postgres-exporter',
            url,
          })),
        ]
      : []),
    ...(alertmanager
      ? [source(alertmanager, alertmanager.http, (url) => ({ ...common(alertmanager), kind: 'alertmanager', url }))]
      : []),
    ...(grafana
      ? [
          source(grafana, grafana.http, (url, passwordFile) => ({
            ...common(grafana),
            kind: 'grafana',
            url,
            passwordFile,
            dataSource: DATA_SOURCE.uid,
            dashboards: [...grafana.dashboards],
          })),
        ]
      : []),
  ];
}

/** The way of a document and a question through the stack: the first collection, the first course. */
export function pathOf({ environment, services }: DescribedStack): PathPlan {
  const { collections, courses, limits } = environment.settings.services.api;
  const [collection = ''] = Object.keys(collections);
  const [course = ''] = courses;
  return {
    needs: [...needsOf(services.api), services.api.node.id],
    collection,
    course,
    answerSeconds: limits.totalSeconds + ANSWER_MARGIN_SECONDS,
  };
}

/** Ids of the services that a workload cannot work without: those it is connected to, and what they need. */
export function needsOf(workload: Workload): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (client: Workload): void => {
    for (const { owner } of client.connections) {
      if (!Service.isService(owner) || found.has(owner.node.id)) continue;
      found.add(owner.node.id);
      visit(owner);
    }
  };
  visit(workload);
  return found;
}

const nameOf = (llm: LlmSettings | undefined): string => (llm ? servedName(llm) : '');

/** `15s`, `5m`, `12h` and `7d` in seconds. */
export function secondsOf(duration: string): number {
  const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[duration.slice(-1)];
  if (factor === undefined) throw new Error(`'${duration}' is no duration`);
  return Number.parseInt(duration, 10) * factor;
}

function source(
  service: Workload,
  endpoint: Endpoint,
  target: (url: string, credentialFile: string) => Target,
): TargetSource {
  return {
    service,
    endpoints: [endpoint],
    target: (access) =>
      target(access.url(endpoint), endpoint.credential ? access.credentialFile(endpoint.credential) : ''),
  };
}

/** Settings that were given a value. */
function given(
  settings: Environment['settings']['services']['postgres']['settings'],
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
