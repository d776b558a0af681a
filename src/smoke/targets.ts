import { collectionsOf } from '../../config/collections.js';
import type { Environment } from '../../config/environment.js';
import { type LlmSettings, servedName } from '../../config/llm.js';
import {
  type Endpoint,
  ExternalServer,
  hostPort,
  type SecretRef,
  Service,
  type Workload,
  workloadsOf,
} from '../../constructs/model/index.js';
import { NodeExporter } from '../../constructs/services/index.js';
import { DATA_SOURCE } from '../../dashboards/index.js';
import { collectionSettings } from '../../stacks/rag-services.js';
import type { PathPlan, Target, TargetOf } from '../apps/operator/smoke/protocol.js';
import type { DescribedStack } from '../operator/stack.js';
import { ruleGroupsOf } from './rule-groups.js';

/** Beyond the longest answer of the API: saving it, and its way back. In seconds. */
const ANSWER_MARGIN_SECONDS = 10;

/** Beyond the longest start of a service: everything that is asked then. In seconds. */
const CHECKS_SECONDS = 300;

/** What the checks of Prometheus take beside the wait for its slowest target, in seconds. */
const SCRAPE_MARGIN_SECONDS = 120;

/** A service, or a server outside the stack. */
type Asked = Workload | ExternalServer;

/** How what is asked is reached. @see SessionAccess */
export interface Access {
  url(endpoint: Endpoint): string;
  /** Path of a credential's file, without version. */
  credentialFile(credential: SecretRef): string;
}

/** A service that can be asked by its own protocol, before it is known how it is reached. */
export interface TargetSource {
  readonly service: Asked;
  readonly endpoints: readonly Endpoint[];
  readonly target: (access: Access) => Target;
}

/** Everything of a stack that speaks a protocol we know. Other containers are looked at from outside alone. */
export function targetsOf(stack: DescribedStack): readonly TargetSource[] {
  const { environment, services, topology } = stack;
  const { settings } = environment;
  const common = (service: Asked) => ({ id: service.node.id, needs: [...needsOf(service)] });
  const { postgres, qdrant, embeddings, api, webBot, prometheus, alertmanager, grafana } = services;
  const { agentExporter, postgresExporter, dcgmExporter } = services;
  const history = api.connections.find((endpoint) => endpoint.owner === postgres);
  const nodeExporter = workloadsOf(services).find((workload) => workload instanceof NodeExporter);
  const { collections } = settings.services.api;
  const exporter = (kind: TargetOf<'exporter'>['exporter'], service: Workload & { readonly metrics: Endpoint }) =>
    source(service, service.metrics, (url) => ({ ...common(service), kind: 'exporter', exporter: kind, url }));
  return [
    ...(history
      ? [
          source(postgres, history, (url, passwordFile) => ({
            ...common(postgres),
            kind: 'postgres',
            url,
            passwordFile,
            settings: settings.services.postgres.external ? {} : given(settings.services.postgres.settings),
          })),
        ]
      : []),
    source(qdrant, qdrant.http, (url, keyFile) => ({
      ...common(qdrant),
      kind: 'qdrant',
      url,
      keyFile,
      collections: collectionsOf(settings.services).map(collectionSettings),
    })),
    ...[...services.llms]
      // What somebody else runs is asked as the API asks it; a model that only others use is theirs to look at.
      .filter(([, llm]) => !ExternalServer.isExternalServer(llm) || api.connections.includes(llm.http))
      .map(([name, llm]) =>
        source(llm, llm.http, (url, keyFile) => ({
          ...common(llm),
          kind: 'llm',
          url,
          ...(llm.http.credential ? { keyFile } : {}),
          model: nameOf(settings.services.llm[name]),
          completes: !ExternalServer.isExternalServer(llm),
        })),
      ),
    ...(embeddings
      ? [
          source(embeddings, embeddings.http, (url, keyFile) => ({
            ...common(embeddings),
            kind: 'embeddings',
            url,
            keyFile,
            model: embeddings.modelName,
            dimension: settings.services.embeddings.dimension,
          })),
        ]
      : []),
    {
      service: api,
      endpoints: [api.http, api.metrics],
      target: (access) => ({
        ...common(api),
        kind: 'rag-api',
        url: access.url(api.http),
        keyFile: api.http.credential ? access.credentialFile(api.http.credential) : '',
        metricsUrl: access.url(api.metrics),
      }),
    },
    ...(webBot ? [source(webBot, webBot.http, (url) => ({ ...common(webBot), kind: 'web-bot', url }))] : []),
    ...(prometheus
      ? [
          source(prometheus, prometheus.http, (url) => ({
            ...common(prometheus),
            kind: 'prometheus',
            url,
            scrapeSeconds: longestScrape(stack),
            ruleGroups: [...ruleGroupsOf(prometheus)],
            targets: prometheus.connections.map((endpoint) => ({
              service: endpoint.owner.node.id,
              instance: topology.render(hostPort(endpoint), prometheus),
            })),
            alertmanagers: alertmanager ? [topology.render(hostPort(alertmanager.http), prometheus)] : [],
          })),
        ]
      : []),
    ...(nodeExporter instanceof NodeExporter ? [exporter('node', nodeExporter)] : []),
    ...(postgresExporter ? [exporter('postgres', postgresExporter)] : []),
    ...(dcgmExporter ? [exporter('dcgm', dcgmExporter)] : []),
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

/** The first collection that a document can be brought into, which is one of ours. @returns undefined - there is none */
export const ownCollection = ({ environment: { settings } }: DescribedStack): string | undefined =>
  collectionsOf(settings.services).find(({ layout }) => layout === 'ragdock')?.name;

/** Why no document goes through the stack. */
export const NO_OWN_COLLECTION = 'no collection is one that a document can be brought into';

/** The way of a document and a question through the stack: the first collection of ours, the first course. */
export function pathOf(stack: DescribedStack): PathPlan {
  const { environment, services } = stack;
  const { courses, limits } = environment.settings.services.api;
  const collection = ownCollection(stack);
  const [course = ''] = courses;
  return {
    needs: [...needsOf(services.api), services.api.node.id],
    ...(collection === undefined ? {} : { collection }),
    course,
    answerSeconds: limits.totalSeconds + ANSWER_MARGIN_SECONDS,
  };
}

/**
 * Longest time for all checks together, in seconds, where nobody says one: a service may take its whole start period
 * before it can be asked, and the slowest target its whole interval before it is scraped again.
 */
export function timeoutOf(stack: DescribedStack): number {
  const starts = stack.topology.workloads
    .filter(Service.isService)
    .map(({ healthCheck }) => healthCheck.startPeriodSeconds ?? 0);
  return Math.max(0, ...starts) + Math.max(CHECKS_SECONDS, longestScrape(stack) + SCRAPE_MARGIN_SECONDS);
}

/**
 * Ids of the services that a workload cannot work without, inside and outside the stack: those it is connected to, and
 * what they need.
 */
export function needsOf(asked: Asked): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (client: Asked): void => {
    // What a server outside the stack needs is not known here.
    if (ExternalServer.isExternalServer(client)) return;
    for (const { owner } of client.connections) {
      const counts = ExternalServer.isExternalServer(owner) || Service.isService(owner);
      if (!counts || found.has(owner.node.id)) continue;
      found.add(owner.node.id);
      visit(owner);
    }
  };
  visit(asked);
  return found;
}

const nameOf = (llm: LlmSettings | undefined): string => (llm ? servedName(llm) : '');

/** The longest time between two scrapes that any job is set to, in seconds. */
function longestScrape({ environment: { settings }, services }: DescribedStack): number {
  const { prometheus, agentExporter } = settings.services;
  const own = services.agentExporter ? [agentExporter.scrapeInterval ?? prometheus.scrapeInterval] : [];
  return Math.max(...[prometheus.scrapeInterval, ...own].map(secondsOf));
}

/** `15s`, `5m`, `12h` and `7d` in seconds. */
export function secondsOf(duration: string): number {
  const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[duration.slice(-1)];
  if (factor === undefined) throw new Error(`'${duration}' is no duration`);
  return Number.parseInt(duration, 10) * factor;
}

function source(
  service: Asked,
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
