import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, hostPort, modelError, Service, secretPath, text } from '../model/index.js';

const PORT = 9187;
/** uid and gid of `nobody` in the official image. */
const USER = { uid: 65_534, gid: 65_534 };

/** Whose metrics it gives. */
export interface PostgresExporterProps {
  /** A role of its own, as `Postgres.role` returned it; a `PostgresRoles` job has to grant it `monitor`. */
  readonly role: Endpoint;
  /** Reference with a tag. @default IMAGES.postgresExporter */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** In MiB. @default 64 */
  readonly memoryMiB?: number | undefined;
}

/** Metrics of PostgreSQL, read through a role that sees statistics and no rows. */
export class PostgresExporter extends Service {
  /** Prometheus metrics, without a credential. */
  readonly metrics: Endpoint;

  /** @throws RagdockError MODEL_INVALID when the endpoint is no role with a password */
  constructor(scope: Construct, id: string, props: PostgresExporterProps) {
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.postgresExporter },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 64,
      healthCheck: { command: ['wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${PORT}/`] },
      deployWaitSeconds: 60,
    });
    const { user, credential, basePath } = props.role;
    if (user === undefined || !credential) {
      throw modelError(this, `${props.role.name} is no role that logs in`, 'pass what `Postgres.role` returned');
    }
    this.metrics = this.expose('metrics', { scheme: 'http', port: PORT });
    this.connectTo(props.role, { credentialElsewhere: true });
    // The networks between the two are closed to everybody else, and the password goes as SCRAM.
    this.setEnvironment('DATA_SOURCE_URI', text`${hostPort(props.role)}${basePath}?sslmode=disable`);
    this.setEnvironment('DATA_SOURCE_USER', user);
    this.setEnvironment('DATA_SOURCE_PASS_FILE', secretPath(credential, 'current'));
  }
}
