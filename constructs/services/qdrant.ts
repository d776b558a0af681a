import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, SecretRef, Service, secretPath } from '../model/index.js';

const USER = { uid: 1000, gid: 1000 };

/**
 * Takes the place of the image's entrypoint, which as process 1 ends at once on SIGTERM and takes the server with it.
 * The server has no variable for a key's file, and an empty key would switch authentication off in silence.
 */
const START = `
key_file="$1"
QDRANT__SERVICE__API_KEY="$(cat "$key_file")" || QDRANT__SERVICE__API_KEY=""
[ -n "$QDRANT__SERVICE__API_KEY" ] || { echo "the key file $key_file is missing or empty: refusing to run without authentication" >&2; exit 78; }
export QDRANT__SERVICE__API_KEY
`.trim();

/** As process 1 the server ends well on SIGTERM, and answers what it has begun. */
const RUN = 'exec ./qdrant';

/**
 * The server beside the script, which passes signals on and waits until it has ended. One that was killed while it
 * still loaded its collections, most likely for want of memory, comes back with them closed, so that an operator can
 * delete what does not fit.
 */
const RUN_OR_RECOVER = `
export QDRANT_INIT_FILE_PATH=/tmp/qdrant-initialised
stopping=""
trap 'stopping=yes; kill -TERM "$server" 2>/dev/null || true' TERM
./qdrant &
server=$!
status=interrupted
while [ "$status" = interrupted ]; do
  before="$stopping"
  wait "$server" && status=0 || status=$?
  [ "$before" = "$stopping" ] || status=interrupted
done
if [ "$status" = 137 ] && [ -z "$stopping" ] && [ ! -e "$QDRANT_INIT_FILE_PATH" ]; then
  echo "the server was killed before its collections were loaded: it starts again in recovery mode" >&2
  export QDRANT__STORAGE__RECOVERY_MODE="The server was killed while it loaded its collections, most likely for want of memory. Raise services.qdrant.memory or delete collections, then restart the container."
  exec ./qdrant
fi
exit "$status"
`.trim();

/** The image has no curl and no wget, but bash opens sockets. */
const PROBE =
  'exec 3<>/dev/tcp/127.0.0.1/6333 && printf "GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" >&3 && read -r _ status _ <&3 && [ "$status" = 200 ]';

/** All of it has a default. */
export interface QdrantProps {
  /** An unprivileged variant (uid 1000). @default IMAGES.qdrant */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps the data. @default - <environment>-<id>-data */
  readonly volumeName?: string | undefined;
  /** In MiB. @default 1024 */
  readonly memoryMiB?: number | undefined;
  /** Starts with its collections closed after it was killed while it loaded them. @default false */
  readonly recoveryMode?: boolean | undefined;
}

/** The vector database: REST with a key, metrics on a port of their own. */
export class Qdrant extends Service {
  /** REST, with a key. */
  readonly http: Endpoint;
  /** gRPC, with the same key. */
  readonly grpc: Endpoint;
  /** Prometheus metrics, without a key. */
  readonly metrics: Endpoint;

  constructor(scope: Construct, id: string, props: QdrantProps = {}) {
    const key = new SecretRef(`${id}-api-key`, 'reads and writes every collection of Qdrant');
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.qdrant },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 1024,
      entrypoint: [
        '/bin/bash',
        '-euc',
        `${START}\n${props.recoveryMode === true ? RUN_OR_RECOVER : RUN}`,
        'start-qdrant',
        secretPath(key, 'current'),
      ],
      environment: {
        RUN_MODE: 'production',
        QDRANT__TELEMETRY_DISABLED: 'true',
        // Recovery from a URL would let whoever holds the key make the server fetch any address.
        QDRANT__SERVICE__ENABLE_SNAPSHOT_URL_RECOVERY: 'false',
        // Served without a key, so that Prometheus needs none; whoever is connected to Qdrant can read it.
        QDRANT__SERVICE__METRICS_PORT: '9090',
      },
      tmpfs: [{ path: '/tmp', sizeMiB: 64 }],
      healthCheck: { command: ['/bin/bash', '-c', PROBE], startPeriodSeconds: 60 },
      // A half-sent request keeps the server from ending for 30 s (observed on 1.19.0).
      stopGraceSeconds: 40,
      // What Qdrant's own development shell asks for.
      openFiles: 10_000,
    });
    this.http = this.expose('http', { scheme: 'http', port: 6333, credential: key });
    this.grpc = this.expose('grpc', { scheme: 'grpc', port: 6334, credential: key });
    this.metrics = this.expose('metrics', { scheme: 'http', port: 9090 });
    this.addDataVolume({ id: `${id}-data`, name: props.volumeName, path: '/qdrant/storage', owner: USER });
    this.addDataVolume({ id: `${id}-snapshots`, path: '/qdrant/snapshots', owner: USER });
  }
}
