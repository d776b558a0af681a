import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, type Gpus, modelError, Service, type User } from '../model/index.js';
import { collectors } from './dcgm/collectors.js';

const PORT = 9400;
const COLLECTORS = '/etc/ragdock/collectors.csv';

/** Any user may read a card's basic fields; the profiler's are for administrators. */
const USER: User = { uid: 1000, gid: 1000 };
const ROOT: User = { uid: 0, gid: 0 };

/** The image has no client of HTTP, but a shell that opens connections. */
const HEALTH = `
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
read -r _ status _ <&3
while read -r _ <&3; do :; done
[ "$status" = 200 ]
`.trim();

/** All of it has a default. */
export interface DcgmExporterProps {
  /** Reference with a tag. @default IMAGES.dcgmExporter */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** In MiB. @default 512 */
  readonly memoryMiB?: number | undefined;
  /** Graphics cards that it measures. @default - all, by the runtime nvidia */
  readonly gpus?: Gpus | undefined;
  /** Time between two readings of the cards, in milliseconds, at least 1000. @default 15000 */
  readonly intervalMs?: number | undefined;
  /**
   * Whether it reads the counters of the cards' profiler (DCGM_FI_PROF_*) too. It runs as root with SYS_ADMIN then, and
   * other profilers cannot use the cards meanwhile.
   *
   * @default false
   */
  readonly profiling?: boolean | undefined;
}

/** Metrics of NVIDIA graphics cards, by NVIDIA's DCGM. */
export class DcgmExporter extends Service {
  /** Prometheus metrics, without a credential. */
  readonly metrics: Endpoint;

  /** @throws RagdockError MODEL_INVALID for an interval that is none */
  constructor(scope: Construct, id: string, props: DcgmExporterProps = {}) {
    const { profiling = false, intervalMs = 15_000 } = props;
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.dcgmExporter },
      containerName: props.containerName,
      user: profiling ? ROOT : USER,
      memoryMiB: props.memoryMiB ?? 512,
      gpus: props.gpus ?? { devices: 'all' },
      environment: {
        DCGM_EXPORTER_LISTEN: `:${PORT}`,
        DCGM_EXPORTER_COLLECTORS: COLLECTORS,
        // Its own default, 30 s, gives every second scrape the values of the one before.
        DCGM_EXPORTER_INTERVAL: String(intervalMs),
      },
      tmpfs: [{ path: '/tmp', sizeMiB: 16 }],
      ...(profiling
        ? {
            relax: {
              root: true,
              capabilities: ['SYS_ADMIN'],
              reason: 'reads the counters of the cards’ profiler, which the driver gives to administrators alone',
            },
          }
        : {}),
      healthCheck: { command: ['bash', '-euc', HEALTH, 'health', String(PORT)], startPeriodSeconds: 60 },
    });
    if (!Number.isSafeInteger(intervalMs) || intervalMs < 1000) {
      const remedy = 'give milliseconds, such as 15000 for a scrape every 15 s';
      throw modelError(this, `intervalMs: expected a whole number of at least 1000, got ${intervalMs}`, remedy);
    }
    this.metrics = this.expose('metrics', { scheme: 'http', port: PORT });
    this.addConfigFile({ path: COLLECTORS, content: collectors({ profiling }), onChange: 'replace' });
  }
}
