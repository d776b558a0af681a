import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, hostPort, modelError, Service, secretPath, text } from '../model/index.js';
import { NEWEST_VERSION } from './newest-version.js';

const PORT = 9187;
/** uid and gid of `nobody` in the official image. */
const USER = { uid: 65_534, gid: 65_534 };

/** How often a newer password is looked for, in seconds. */
const LOOK_SECONDS = 3;

/** Where the official image has it. */
const PROGRAM = '/bin/postgres_exporter';

/**
 * The program reads user and password at its start alone. This runs it beside itself, passes signals on, and starts it
 * again with a newer version of the password; when it ends by itself, so does this.
 */
const START = `
${NEWEST_VERSION}
user="$1" path="$2" program="$3"; shift 3
stopping=""
trap 'stopping=yes; kill -TERM "$exporter" 2>/dev/null || true' TERM INT
while :; do
  file="$(newest "$path")"
  case "$user" in
    *_\\*) login="\${user%\\*}$((2 - \${file##*.v} % 2))" ;;
    *) login="$user" ;;
  esac
  DATA_SOURCE_USER="$login" DATA_SOURCE_PASS_FILE="$file" "$program" "$@" &
  exporter=$!
  again=""
  while [ -z "$stopping" ] && [ -z "$again" ] && kill -0 "$exporter" 2>/dev/null; do
    sleep ${LOOK_SECONDS} &
    wait $! || true
    [ "$(newest "$path")" = "$file" ] || again=yes
  done
  [ -z "$again" ] || kill -TERM "$exporter" 2>/dev/null || true
  wait "$exporter" && status=0 || status=$?
  [ -n "$again" ] && [ -z "$stopping" ] || exit "$status"
  echo "there is a newer password: $program starts again" >&2
done
`.trim();

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
    const { userInUrl: user, credential, basePath } = props.role;
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.postgresExporter },
      containerName: props.containerName,
      user: USER,
      ...(user !== undefined && credential
        ? {
            entrypoint: [
              ...['/bin/sh', '-euc', START, 'start-postgres-exporter', user],
              secretPath(credential, 'rereadable'),
              PROGRAM,
            ],
          }
        : {}),
      memoryMiB: props.memoryMiB ?? 64,
      healthCheck: { command: ['wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${PORT}/`] },
      deployWaitSeconds: 60,
    });
    if (user === undefined || !credential) {
      throw modelError(this, `${props.role.name} is no role that logs in`, 'pass what `Postgres.role` returned');
    }
    this.metrics = this.expose('metrics', { scheme: 'http', port: PORT });
    this.connectTo(props.role, { credentialElsewhere: true });
    // The networks between the two are closed to everybody else, and the password goes as SCRAM.
    this.setEnvironment('DATA_SOURCE_URI', text`${hostPort(props.role)}${basePath}?sslmode=disable`);
  }
}
