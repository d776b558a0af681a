import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { IMAGES } from '../images.js';
import {
  type Endpoint,
  ExternalServer,
  type FileContext,
  hostPort,
  modelError,
  Service,
  secretPath,
} from '../model/index.js';

/** uid and gid of `nobody` in the official image. */
const USER = { uid: 65_534, gid: 65_534 };
const FOLDER = '/etc/prometheus';
const CONFIG_FILE = `${FOLDER}/prometheus.yml`;
const PORT = 9090;
/** The job under which it scrapes itself. */
const OWN_JOB = 'prometheus';
/** Certificates of private authorities, one file for each server that has one. */
const TRUST_FOLDER = `${FOLDER}-trust`;

/** All of it has a default. */
export interface PrometheusProps {
  /** Reference with a tag. @default IMAGES.prometheus */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps the data. @default - <environment>-<id>-data */
  readonly volumeName?: string | undefined;
  /** In MiB. @default 512 */
  readonly memoryMiB?: number | undefined;
  /** How long samples are kept, in Prometheus' notation. @default 7d */
  readonly retention?: string | undefined;
  /** Time between two scrapes, in Prometheus' notation. @default 15s */
  readonly scrapeInterval?: string | undefined;
}

/** How one job differs from the others. */
export interface ScrapeOptions {
  /** Time between two scrapes, in Prometheus' notation. @default - that of all jobs */
  readonly interval?: string | undefined;
}

/** Prometheus. It scrapes what it was told to scrape, and rereads its configuration when that changes. */
export class Prometheus extends Service {
  /** Queries, without a key: for clients that were connected. */
  readonly http: Endpoint;
  readonly #rules: string[] = [];
  readonly #alertmanagers: Endpoint[] = [];
  readonly #targets: (ScrapeOptions & { readonly job: string; readonly endpoint: Endpoint })[] = [];

  constructor(scope: Construct, id: string, props: PrometheusProps = {}) {
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.prometheus },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 512,
      command: [
        `--config.file=${CONFIG_FILE}`,
        '--storage.tsdb.path=/prometheus',
        // The file is replaced in its volume; nobody needs a way in to ask for a reload.
        '--enable-feature=auto-reload-config',
        '--config.auto-reload-interval=5s',
      ],
      healthCheck: {
        command: ['wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${PORT}/-/ready`],
        // Replays its write-ahead log first.
        startPeriodSeconds: 120,
      },
      stopGraceSeconds: 60,
    });
    this.http = this.expose('http', { scheme: 'http', port: PORT });
    this.addDataVolume({ id: `${id}-data`, name: props.volumeName, path: '/prometheus', owner: USER });
    this.addConfigFile({
      path: CONFIG_FILE,
      content: (context) => this.#config(context, props.scrapeInterval ?? '15s', props.retention ?? '7d'),
      onChange: 'reload',
    });
  }

  /**
   * Scrape /metrics of an endpoint under this job name, with the endpoint's credential if it has one. A server outside
   * the stack is scraped at the endpoint's own path.
   *
   * @throws RagdockError MODEL_INVALID when there is a job of this name
   */
  scrape(job: string, endpoint: Endpoint, { interval }: ScrapeOptions = {}): void {
    if (job === OWN_JOB || this.#targets.some((target) => target.job === job)) {
      throw modelError(this, `the scrape job '${job}' exists already`, 'give every job a name of its own');
    }
    this.connectTo(endpoint, { credentialElsewhere: true, trustElsewhere: true });
    this.#trust(endpoint);
    if (endpoint.credential) this.addSecret(endpoint.credential);
    this.#targets.push({ job, endpoint, interval });
  }

  /**
   * Evaluate rules, in Prometheus' format for rule files. A changed rule is reread, as the configuration is.
   *
   * @param name of the file, without its ending: a-z, 0-9 and -
   * @throws RagdockError MODEL_INVALID when there are rules of this name
   */
  addRules(name: string, rules: string): void {
    const path = `${FOLDER}/${name}.rules.yml`;
    this.addConfigFile({ path, content: rules, onChange: 'reload' });
    this.#rules.push(path);
  }

  /** Send alerts that fire to an Alertmanager, as `Alertmanager.http`. */
  alert(alertmanager: Endpoint): void {
    this.connectTo(alertmanager);
    this.#alertmanagers.push(alertmanager);
  }

  #trust({ owner }: Endpoint): void {
    const path = trustFile(owner);
    if (path === undefined || this.configFiles.some((file) => file.path === path)) return;
    const { certificateAuthority = '' } = owner as ExternalServer;
    // Read again for every connection, as Prometheus says of `ca_file`.
    this.addConfigFile({ path, content: certificateAuthority, onChange: 'reload' });
  }

  #config(context: FileContext, scrapeInterval: string, retention: string): string {
    const jobs = this.#targets.map(({ job, endpoint, interval }) => ({
      job_name: job,
      ...(endpoint.tls ? { scheme: 'https' } : {}),
      ...(endpoint.basePath === '' ? {} : { metrics_path: endpoint.basePath }),
      ...(trustFile(endpoint.owner) === undefined ? {} : { tls_config: { ca_file: trustFile(endpoint.owner) } }),
      ...(interval === undefined ? {} : { scrape_interval: interval }),
      ...(endpoint.credential
        ? { authorization: { credentials_file: context.render(secretPath(endpoint.credential, 'current')) } }
        : {}),
      static_configs: [{ targets: [context.render(hostPort(endpoint))] }],
    }));
    return `# Written by ragdock from what Prometheus was told to scrape.\n${stringify({
      global: { scrape_interval: scrapeInterval, evaluation_interval: scrapeInterval },
      storage: { tsdb: { retention: { time: retention } } },
      ...(this.#rules.length === 0 ? {} : { rule_files: [...this.#rules].sort() }),
      ...(this.#alertmanagers.length === 0
        ? {}
        : {
            alerting: {
              alertmanagers: this.#alertmanagers.map((endpoint) => ({
                static_configs: [{ targets: [context.render(hostPort(endpoint))] }],
              })),
            },
          }),
      scrape_configs: [
        { job_name: OWN_JOB, static_configs: [{ targets: [`localhost:${PORT}`] }] },
        ...jobs.sort((a, b) => (a.job_name < b.job_name ? -1 : 1)),
      ],
    })}`;
  }
}

function trustFile(owner: Endpoint['owner']): string | undefined {
  if (!ExternalServer.isExternalServer(owner) || owner.certificateAuthority === undefined) return undefined;
  return `${TRUST_FOLDER}/${owner.node.id}.pem`;
}
