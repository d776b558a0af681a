import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, type FileContext, modelError, SecretRef, Service, secretPath } from '../model/index.js';
import { NEWEST_VERSION } from './newest-version.js';

const CONFIG = '/etc/postgresql';
const DATA = '/var/lib/postgresql/data';
const PORT = 5432;
/** uid and gid of `postgres` in the official image (Debian variants). */
const USER = { uid: 999, gid: 999 };
const SUPERUSER = 'postgres';
const BACKUPS = '/backups';

/**
 * The server reads the superuser's password for a new cluster alone, so a newer version is no reason to replace it. The
 * image's own script puts it into a variable, and would leave it there for the server and all of its processes.
 */
const START = `
${NEWEST_VERSION}
POSTGRES_PASSWORD_FILE="$(newest "$1")"; shift
export POSTGRES_PASSWORD_FILE
source "$(command -v docker-entrypoint.sh)"
exec() { unset POSTGRES_PASSWORD PGPASSWORD; builtin exec "$@"; }
_main "$@"
`.trim();

/** What is said of a role. */
export interface PostgresRoleOptions {
  /**
   * Whether the role has rights alone, and two others log in for it in turn, so that a new password works beside the one
   * before it. Its clients have to know how the login follows from the password's version: {@link Endpoint.loginsInTurn}.
   *
   * @default false
   */
  readonly inTurn?: boolean;
}

/** All of it has a default. */
export interface PostgresProps {
  /** Reference with a tag. @default IMAGES.postgres */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps the data. @default - <environment>-<id>-data */
  readonly volumeName?: string | undefined;
  /** In MiB; shared_buffers is part of it. @default 1024 */
  readonly memoryMiB?: number | undefined;
  /** Name of the database that is made. @default ml_db */
  readonly database?: string | undefined;
  /** Settings of postgresql.conf under PostgreSQL's own names. @default - the server's */
  readonly settings?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Volume that is mounted at /backups, for dumps. @default - none */
  readonly backupsVolumeName?: string | undefined;
}

/** PostgreSQL with a configuration of its own, open to exactly the roles and networks that were connected. */
export class Postgres extends Service {
  /** Name of the database. */
  readonly database: string;
  /** The superuser, for the job that makes roles. */
  readonly superuser: Endpoint;
  readonly #admitted: Admission[] = [];

  constructor(scope: Construct, id: string, props: PostgresProps = {}) {
    const password = new SecretRef(`${id}-superuser-password`, 'logs the superuser in to PostgreSQL');
    const database = props.database ?? 'ml_db';
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.postgres },
      containerName: props.containerName,
      user: USER,
      memoryMiB: props.memoryMiB ?? 1024,
      entrypoint: ['/bin/bash', '-ec', START, 'start-postgres', secretPath(password, 'rereadable')],
      command: ['postgres', '-c', `config_file=${CONFIG}/postgresql.conf`],
      environment: {
        POSTGRES_USER: SUPERUSER,
        POSTGRES_DB: database,
        // Below the mount point, because a volume's root may hold lost+found, which initdb refuses.
        PGDATA: `${DATA}/pgdata`,
        POSTGRES_INITDB_ARGS: '--data-checksums --auth-host=scram-sha-256 --auth-local=scram-sha-256',
      },
      tmpfs: [
        { path: '/var/run/postgresql', sizeMiB: 1 },
        { path: '/tmp', sizeMiB: 64 },
      ],
      // Parallel queries exchange rows through /dev/shm; the engine's 64 MB are too few for them.
      shmSizeMiB: 256,
      // Over TCP: while the image initialises a new database, its temporary server listens on the socket only.
      healthCheck: {
        command: ['pg_isready', '-h', '127.0.0.1', '-U', SUPERUSER, '-d', database],
        startPeriodSeconds: 120,
      },
      // A checkpoint of up to max_wal_size is written on the way out.
      stopGraceSeconds: 60,
    });
    this.#refuseWord(database);
    this.database = database;
    this.superuser = this.#login(SUPERUSER, password);
    this.addDataVolume({ id: `${id}-data`, name: props.volumeName, path: DATA, owner: USER });
    this.addConfigFile({
      path: `${CONFIG}/postgresql.conf`,
      content: postgresqlConf(props.settings ?? {}),
      onChange: 'replace',
    });
    if (props.backupsVolumeName !== undefined) {
      this.addDataVolume({ id: `${id}-backups`, name: props.backupsVolumeName, path: BACKUPS, owner: USER });
    }
    this.addConfigFile({
      path: `${CONFIG}/pg_hba.conf`,
      content: (context) => pgHba(context, this.#admitted, database),
      onChange: 'replace',
    });
  }

  /**
   * A role of its own for one client. The role itself is made by a `PostgresRoles` job.
   *
   * @param name as PostgreSQL has it: `rag_api`
   * @throws RagdockError MODEL_INVALID for a name that is a word of pg_hba.conf
   */
  role(name: string, { inTurn = false }: PostgresRoleOptions = {}): Endpoint {
    this.#refuseWord(name);
    const id = name.replaceAll('_', '-');
    const password = new SecretRef(`${this.node.id}-${id}-password`, `logs ${name} in to PostgreSQL`);
    return this.#login(name, password, inTurn);
  }

  /**
   * Let a role in through the published port: from the host itself, and from other machines.
   *
   * @param role what `role` returned
   * @param from networks of other machines, in CIDR notation: `192.168.10.0/24`
   * @throws RagdockError MODEL_INVALID when it is no role of this server, or the superuser
   */
  admit(role: Endpoint, from: readonly string[] = []): void {
    const { user } = role;
    if (role.owner !== this || user === undefined || user === SUPERUSER || role.loginsInTurn) {
      throw modelError(this, `${role.name} cannot be let in from outside`, 'pass what `role()` returned');
    }
    this.#admitted.push({ user, from });
  }

  #refuseWord(name: string): void {
    if (!NO_NAME.test(name)) return;
    throw modelError(this, `'${name}' is no name that PostgreSQL's rules take for itself`, 'choose another name');
  }

  #login(user: string, credential: SecretRef, loginsInTurn = false): Endpoint {
    return this.expose(`sql-${user}`, {
      scheme: 'postgresql',
      port: PORT,
      user,
      loginsInTurn,
      credential,
      basePath: `/${this.database}`,
    });
  }
}

/** What does not stand for one role or one database in pg_hba.conf, but for several, or is more than a name. */
const NO_NAME = /^(all|sameuser|samerole|samegroup|replication|public|none)$|[^A-Za-z0-9_-]/i;

function postgresqlConf(settings: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const lines = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? value : quote(String(value))}`)
    .sort();
  return [
    '# Written by ragdock from services.postgres.settings.',
    "listen_addresses = '*'",
    `port = ${PORT}`,
    `hba_file = '${CONFIG}/pg_hba.conf'`,
    "password_encryption = 'scram-sha-256'",
    "log_destination = 'stderr'",
    'logging_collector = off',
    ...lines,
    '',
  ].join('\n');
}

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** A role that may log in through the published port. */
interface Admission {
  readonly user: string;
  readonly from: readonly string[];
}

/** One line for each role and network that was connected or let in; everybody else is refused. */
function pgHba(context: FileContext, admitted: readonly Admission[], database: string): string {
  const hosts = context.clients().flatMap(({ endpoints, subnet }) =>
    endpoints.map(
      ({ user, basePath, loginsInTurn }) =>
        // With + the role and who is a member of it.
        `host   ${user === SUPERUSER ? 'all' : basePath.slice(1)}  ${loginsInTurn ? '+' : ''}${user}  ${subnet}  scram-sha-256`,
    ),
  );
  const host = context.publishedSubnet();
  const outside = admitted.flatMap(({ user, from }) =>
    [...(host === undefined ? [] : [host]), ...from].map(
      (network) => `host   ${database}  ${user}  ${network}  scram-sha-256`,
    ),
  );
  return [
    '# Written by ragdock from who is connected to PostgreSQL.',
    '# type database user address method',
    'local  all  all  scram-sha-256',
    // Only the container itself: the health check would otherwise write a FATAL line every time.
    `host   all  ${SUPERUSER}  127.0.0.1/32  scram-sha-256`,
    ...[...new Set([...hosts, ...outside])].sort(),
    '',
  ].join('\n');
}
