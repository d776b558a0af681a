import type { Construct } from 'constructs';
import { type Endpoint, Service, type User } from '../model/index.js';

/** How a container of others is run. */
export interface ExtraServiceProps {
  /** repository:tag, optionally with @sha256:… */
  readonly image: string;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Replaces the image's entrypoint. @default - the image's */
  readonly entrypoint?: readonly string[] | undefined;
  /** Replaces the image's command. @default - the image's */
  readonly command?: readonly string[] | undefined;
  /** Numeric user that the process runs as. @default 1000:1000 */
  readonly user?: User;
  /** In MiB. @default 256 */
  readonly memoryMiB?: number;
  /** Variables that are not secrets. @default - those of the image alone */
  readonly environment?: Readonly<Record<string, string>>;
  /** Port on which it serves HTTP. @default - it has no endpoint */
  readonly listen?: number | undefined;
  /** Folders of at most 64 MiB that are empty after a restart. @default - none */
  readonly tmpfs?: readonly string[];
  /** Data volumes: name in the engine and where it is mounted. They stay as they are owned. */
  readonly volumes?: readonly { readonly name: string; readonly path: string }[];
  /** Program that exits 0 while the service is healthy. @default - the image's own check, if it has one */
  readonly healthCheck?: readonly string[] | undefined;
  /** Why the root file system has to be writable. @default - it is read-only */
  readonly writableRootReason?: string | undefined;
}

/** A container that is not one of ragdock's own, with the same hardening and the same way to connect. */
export class ExtraService extends Service {
  /** Where it serves HTTP; undefined when it does not. */
  readonly http: Endpoint | undefined;

  constructor(scope: Construct, id: string, props: ExtraServiceProps) {
    super(scope, id, {
      image: { reference: props.image },
      containerName: props.containerName,
      user: props.user ?? { uid: 1000, gid: 1000 },
      memoryMiB: props.memoryMiB ?? 256,
      entrypoint: props.entrypoint,
      command: props.command,
      ...(props.environment === undefined ? {} : { environment: props.environment }),
      tmpfs: (props.tmpfs ?? []).map((path) => ({ path, sizeMiB: 64 })),
      ...(props.writableRootReason === undefined
        ? {}
        : { relax: { readOnlyRoot: false, reason: props.writableRootReason } }),
      healthCheck: { command: props.healthCheck ?? [] },
    });
    this.http = props.listen === undefined ? undefined : this.expose('http', { scheme: 'http', port: props.listen });
    for (const volume of props.volumes ?? []) this.addDataVolume({ id: `${id}-${volume.name}`, ...volume });
  }
}
