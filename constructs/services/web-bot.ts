import type { Construct } from 'constructs';
import type { z } from 'zod';
import { WEB_BOT_VARIABLES, type WebBotSettings } from '../../src/apps/web-bot/settings.js';
import { type Endpoint, hostPort, SecretRef, Service, secretPath } from '../model/index.js';
import { addSettings, bundledApp, probe } from './bundled-app.js';

const PORT = 8080;

/** What the web bot is connected to, and its settings. */
export interface WebBotProps {
  /** An image that carries the bundled apps. @default - built from the bundle of this package */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** In MiB. @default 256 */
  readonly memoryMiB?: number | undefined;
  /** What it does; where it listens and under which names follow from the model. */
  readonly settings: Omit<z.input<typeof WebBotSettings>, 'listen' | 'hosts'>;
  /**
   * Names without port, lower-case, under which it is asked beside `localhost` and its container's name: those of a
   * reverse proxy in front of it.
   *
   * @default - none while it is published on loopback or not at all, any name on another address
   */
  readonly hosts?: readonly string[] | undefined;
  /** The RAG API's endpoint: `forWebBot`, or that of another API, which then counts all readers as one client. */
  readonly api: Endpoint;
}

/** The chat page and its Socket.IO server. It holds the API's key, so that no browser does. */
export class WebBot extends Service {
  /** The page and its sockets, without a key. */
  readonly http: Endpoint;

  constructor(scope: Construct, id: string, props: WebBotProps) {
    super(scope, id, {
      ...bundledApp('web-bot'),
      ...(props.image === undefined ? {} : { image: { reference: props.image } }),
      containerName: props.containerName,
      memoryMiB: props.memoryMiB ?? 256,
      healthCheck: { command: probe(PORT, '/healthz') },
      stopGraceSeconds: 15,
      // Stateless, and up in a second or two: a deploy may wait for it.
      deployWaitSeconds: 60,
    });
    this.http = this.expose('http', { scheme: 'http', port: PORT });
    this.connectTo(props.api, {
      url: WEB_BOT_VARIABLES.apiUrl,
      credential: WEB_BOT_VARIABLES.apiKeyFile,
      rereads: true,
    });
    const session = new SecretRef(`${id}-session-key`, 'signs the tokens that open a chat');
    this.setEnvironment(WEB_BOT_VARIABLES.sessionKeyFile, secretPath(session, 'rereadable'));
    addSettings(this, (context) => {
      const [name = ''] = context.render(hostPort(this.http)).split(':');
      const hosts = this.#hostsBeside(name, props.hosts ?? []);
      return { listen: { port: PORT }, ...props.settings, ...hosts } satisfies z.input<typeof WebBotSettings>;
    });
  }

  /** Whoever opened the port to others did so under names that we do not know, unless they were told. */
  #hostsBeside(container: string, told: readonly string[]): Pick<z.input<typeof WebBotSettings>, 'hosts'> {
    const isOpen = this.published.some(({ address }) => !address.startsWith('127.'));
    return isOpen && told.length === 0 ? {} : { hosts: [container, ...told] };
  }
}
