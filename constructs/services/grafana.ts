import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { DATA_SOURCE, type Dashboard, dashboards } from '../../dashboards/index.js';
import { IMAGES } from '../images.js';
import { type Endpoint, SecretRef, Service, secretPath, text, url } from '../model/index.js';

/** As in the official image, whose files belong to the group of root. */
const USER = { uid: 472, gid: 0 };
const DASHBOARDS = '/etc/grafana/dashboards';
const PROVISIONING = '/etc/grafana/provisioning';
const PORT = 3000;

/** An empty file would be no password for Grafana, and it would take its published default: admin. */
const START = `
for file in "$@"; do
  [ -s "$file" ] || { echo "the secret $file is missing or empty: refusing to run with Grafana's default" >&2; exit 78; }
done
exec /run.sh
`.trim();

/** Which server it shows, and what of it. */
export interface GrafanaProps {
  /** Prometheus, as `Prometheus.http`. */
  readonly prometheus: Endpoint;
  /** Time between two scrapes, below which no panel asks for detail, in Prometheus' notation. @default 15s */
  readonly scrapeInterval?: string | undefined;
  /** What is shown, each under a `uid` of its own. @default - the dashboards of a stack without GPUs */
  readonly dashboards?: readonly Dashboard[] | undefined;
  /** Reference with a tag. @default IMAGES.grafana */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps the data. @default - <environment>-<id>-data */
  readonly volumeName?: string | undefined;
  /** In MiB. @default 512 */
  readonly memoryMiB?: number | undefined;
}

/** Grafana with the stack's data source and dashboards. It asks nobody but Prometheus. */
export class Grafana extends Service {
  /** Pages and API, for who logs in: the credential is the password of `admin`. */
  readonly http: Endpoint;
  /** uid of every dashboard that it is given, in their order. */
  readonly dashboards: readonly string[];

  constructor(scope: Construct, id: string, props: GrafanaProps) {
    const password = new SecretRef(`${id}-admin-password`, 'logs admin in to Grafana');
    const encryption = new SecretRef(
      `${id}-secret-key`,
      'encrypts what Grafana keeps secret in its database',
      'generated',
      'what Grafana has encrypted with the key of now could not be read any more',
    );
    const secrets = [secretPath(password, 'current'), secretPath(encryption, 'current')] as const;
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.grafana },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 512,
      entrypoint: ['/bin/sh', '-euc', START, 'start-grafana', ...secrets],
      environment: {
        // Grafana reads the file itself. What …__FILE names is exported by the image's start script: a secret in the variables.
        GF_SECURITY_ADMIN_PASSWORD: text`$__file{${secrets[0]}}`,
        GF_SECURITY_SECRET_KEY: text`$__file{${secrets[1]}}`,
        GF_USERS_ALLOW_SIGN_UP: 'false',
        GF_AUTH_ANONYMOUS_ENABLED: 'false',
        ...NO_WAY_OUT,
      },
      tmpfs: [{ path: '/tmp', sizeMiB: 64 }],
      healthCheck: {
        command: ['wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${PORT}/api/health`],
        // Makes or migrates its database first.
        startPeriodSeconds: 120,
      },
      stopGraceSeconds: 30,
    });
    this.http = this.expose('http', { scheme: 'http', port: PORT, credential: password });
    this.addDataVolume({ id: `${id}-data`, name: props.volumeName, path: '/var/lib/grafana', owner: USER });
    this.connectTo(props.prometheus);
    const shown = props.dashboards ?? dashboards();
    this.dashboards = shown.map(({ uid }) => uid);
    this.#provision(props, shown);
  }

  #provision({ prometheus, scrapeInterval = '15s' }: GrafanaProps, shown: readonly Dashboard[]): void {
    this.addConfigFile({
      path: `${PROVISIONING}/datasources/ragdock.yaml`,
      content: (context) => dataSources(context.render(url(prometheus)), scrapeInterval),
      onChange: 'replace',
    });
    this.addConfigFile({
      path: `${PROVISIONING}/dashboards/ragdock.yaml`,
      content: DASHBOARD_PROVIDER,
      onChange: 'replace',
    });
    for (const { uid, json } of shown) {
      this.addConfigFile({ path: `${DASHBOARDS}/${uid}.json`, content: json, onChange: 'reload' });
    }
  }
}

/** Its networks lead nowhere, and what it would ask there fails late and with noise in the log. */
const NO_WAY_OUT = {
  GF_ANALYTICS_REPORTING_ENABLED: 'false',
  GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
  GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
  GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: 'false',
  GF_NEWS_NEWS_FEED_ENABLED: 'false',
  GF_PLUGINS_PLUGIN_ADMIN_ENABLED: 'false',
  GF_PLUGINS_PREINSTALL_DISABLED: 'true',
  GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: 'true',
  GF_SECURITY_DISABLE_GRAVATAR: 'true',
  GF_SNAPSHOTS_EXTERNAL_ENABLED: 'false',
} as const;

function dataSources(prometheusUrl: string, scrapeInterval: string): string {
  return `# Written by ragdock: the Prometheus that Grafana was connected to.\n${stringify({
    apiVersion: 1,
    // A data source that is no longer here goes.
    prune: true,
    datasources: [
      {
        name: 'Prometheus',
        type: DATA_SOURCE.type,
        uid: DATA_SOURCE.uid,
        orgId: 1,
        access: 'proxy',
        url: prometheusUrl,
        isDefault: true,
        editable: false,
        jsonData: { httpMethod: 'POST', timeInterval: scrapeInterval },
      },
    ],
  })}`;
}

const DASHBOARD_PROVIDER = `# Written by ragdock: where Grafana finds its dashboards. It rereads them when they change.\n${stringify(
  {
    apiVersion: 1,
    providers: [
      {
        name: 'ragdock',
        orgId: 1,
        folder: 'ragdock',
        type: 'file',
        disableDeletion: false,
        allowUiUpdates: false,
        updateIntervalSeconds: 10,
        options: { path: DASHBOARDS },
      },
    ],
  },
)}`;
