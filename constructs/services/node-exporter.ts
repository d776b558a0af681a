import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, ownAddress, Service, text } from '../model/index.js';

const PORT = 9100;
/**
 * A number that no other service has, nor anybody on a usual host: on the host's own processes it could read the files of
 * whoever shares it, and secrets are among them. The image's own `nobody` is Prometheus and an exporter as well.
 */
const USER = { uid: 59_100, gid: 59_100 };

/** All of it has a default. */
export interface NodeExporterProps {
  /** Reference with a tag. @default IMAGES.nodeExporter */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** In MiB. @default 64 */
  readonly memoryMiB?: number | undefined;
  /**
   * A second address and port of the host on which it listens. What `publish` does for others, which a service on the
   * host's network cannot do.
   *
   * @default - its client alone reaches it
   */
  readonly listenAlso?: { readonly port: number; readonly address: string } | undefined;
}

/**
 * Metrics of the host. In a network of its own it would see its own interfaces instead of the host's, so it uses the
 * host's network and listens on one address: the host's end of the network that its client is on. `listenAlso` adds one.
 */
export class NodeExporter extends Service {
  /** For one client, which has to be connected. */
  readonly metrics: Endpoint;

  constructor(scope: Construct, id: string, props: NodeExporterProps = {}) {
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.nodeExporter },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 64,
      command: [
        '--path.rootfs=/host',
        text`--web.listen-address=${ownAddress}:${String(PORT)}`,
        ...(props.listenAlso ? [`--web.listen-address=${props.listenAlso.address}:${props.listenAlso.port}`] : []),
        '--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run|var/lib/docker/.+)($|/)',
      ],
      relax: {
        hostNetwork: true,
        hostPid: true,
        reason: 'measures the network interfaces, mounts and processes of the host itself',
      },
      healthCheck: { command: ['wget', '-q', '-O', '/dev/null', text`http://${ownAddress}:${String(PORT)}/`] },
      deployWaitSeconds: 60,
    });
    this.metrics = this.expose('metrics', { scheme: 'http', port: PORT });
    this.addHostMount({ hostPath: '/', path: '/host', reason: 'measures the file systems of the host' });
  }
}
