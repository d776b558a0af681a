import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { IMAGES } from '../images.js';
import { type Endpoint, type FileContext, SecretRef, Service, secretPath } from '../model/index.js';

/** uid and gid of `nobody` in the official image. */
const USER = { uid: 65_534, gid: 65_534 };
const CONFIG_FILE = '/etc/alertmanager/alertmanager.yml';
const PORT = 9093;

/** Where alerts are sent: every group as one POST of JSON. */
export interface AlertWebhook {
  /** http or https, without a password in it. */
  readonly url: string;
  /** Whether the receiver wants a bearer token; it is a secret of the stack. @default false */
  readonly token?: boolean | undefined;
}

/** All of it has a default. */
export interface AlertmanagerProps {
  /** Who is told. @default - nobody; alerts are seen on the page alone */
  readonly webhook?: AlertWebhook | undefined;
  /** Time until an alert that is still there is sent again, in Prometheus' notation. @default 4h */
  readonly repeatInterval?: string | undefined;
  /** Reference with a tag. @default IMAGES.alertmanager */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps silences and what was sent. @default - <environment>-<id>-data */
  readonly volumeName?: string | undefined;
  /** In MiB. @default 128 */
  readonly memoryMiB?: number | undefined;
}

/** Alertmanager: groups the alerts of Prometheus, and tells who is to be told. */
export class Alertmanager extends Service {
  /** Page, API and metrics, without a credential. */
  readonly http: Endpoint;

  constructor(scope: Construct, id: string, props: AlertmanagerProps = {}) {
    const { webhook } = props;
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.alertmanager },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 128,
      command: [
        `--config.file=${CONFIG_FILE}`,
        '--storage.path=/alertmanager',
        // It has no peers, and needs no port for them.
        '--cluster.listen-address=',
      ],
      healthCheck: { command: ['wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${PORT}/-/ready`] },
      ...(webhook ? { egress: { reason: 'sends alerts to the webhook' } } : {}),
    });
    this.http = this.expose('http', { scheme: 'http', port: PORT });
    this.addDataVolume({ id: `${id}-data`, name: props.volumeName, path: '/alertmanager', owner: USER });
    const token = webhook?.token
      ? new SecretRef(`${id}-webhook-token`, 'is shown to the webhook that receives alerts')
      : undefined;
    if (token) this.addSecret(token);
    this.addConfigFile({
      path: CONFIG_FILE,
      content: (context) => configuration(props, token, context),
      // It rereads its file on a signal only, which nobody is there to send.
      onChange: 'replace',
    });
  }
}

function configuration(
  { webhook, repeatInterval = '4h' }: AlertmanagerProps,
  token: SecretRef | undefined,
  context: FileContext,
): string {
  return `# Written by ragdock from services.alertmanager.\n${stringify({
    route: {
      receiver: webhook ? 'webhook' : 'nobody',
      // One message for each alert, whatever number of services it is about.
      group_by: ['alertname'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: repeatInterval,
    },
    receivers: [
      webhook ? { name: 'webhook', webhook_configs: [receiver(webhook, token, context)] } : { name: 'nobody' },
    ],
    inhibit_rules: [
      {
        // A service that is down explains what else is wrong with it.
        source_matchers: ['alertname = ServiceDown'],
        target_matchers: ['alertname != ServiceDown'],
        equal: ['job'],
      },
    ],
  })}`;
}

function receiver({ url }: AlertWebhook, token: SecretRef | undefined, context: FileContext): object {
  return {
    url,
    send_resolved: true,
    ...(token
      ? { http_config: { authorization: { credentials_file: context.render(secretPath(token, 'current')) } } }
      : {}),
  };
}
