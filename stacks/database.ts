import type { Construct } from 'constructs';
import type { Settings } from '../config/schema.js';
import type { Endpoint, Job } from '../constructs/model/index.js';
import {
  ExternalPostgres,
  Postgres,
  PostgresExporter,
  PostgresLogins,
  PostgresMigrations,
  PostgresRoles,
  type PostgresRolesProps,
} from '../constructs/services/index.js';

/** Where the conversations are kept, and who comes in by which role. */
export interface Database {
  readonly server: Postgres | ExternalPostgres;
  /** The API's way in. */
  readonly history: Endpoint;
  /** The agent exporter's way in; undefined when it is disabled. */
  readonly numbers: Endpoint | undefined;
  /** After it the schema and the roles are there. */
  readonly prepared: Job;
  readonly exporter: PostgresExporter | undefined;
  /** Has to run after all clients: it takes the logins away that none of them uses any more. */
  readonly settled: PostgresLogins | undefined;
}

/** The server of the conversations, the API's way in, and the job after which there is one. */
export function database(
  scope: Construct,
  { postgres, postgresExporter, agentExporter }: Settings['services'],
): Database {
  if (postgres.external) {
    const { url, passwordSecret, sslMode, ca } = postgres.external;
    const tls = sslMode === 'verify-full';
    const server = new ExternalPostgres(scope, 'postgres', { url, passwordSecret, tls, certificateAuthority: ca });
    const prepared = new PostgresMigrations(scope, 'postgres-roles', { postgres: server });
    return { server, history: server.role, numbers: undefined, prepared, exporter: undefined, settled: undefined };
  }
  const server = new Postgres(scope, 'postgres', {
    image: postgres.image,
    containerName: postgres.container,
    volumeName: postgres.volume,
    memoryMiB: postgres.memory,
    database: postgres.database,
    settings: postgres.settings,
    backupsVolumeName: postgres.backupsVolume,
  });
  const history = server.role('rag_api', { inTurn: true });
  const numbers = agentExporter.enabled ? server.role('agent_exporter', { inTurn: true }) : undefined;
  const statistics = postgresExporter.enabled ? server.role('postgres_exporter', { inTurn: true }) : undefined;
  const prepared = new PostgresRoles(scope, 'postgres-roles', {
    postgres: server,
    roles: [
      { endpoint: history, grants: 'history' },
      ...(numbers ? [{ endpoint: numbers, grants: 'numbers' } as const] : []),
      ...(statistics ? [{ endpoint: statistics, grants: 'monitor' } as const] : []),
      ...admitted(server, postgres),
    ],
  });
  const exporter = statistics
    ? new PostgresExporter(scope, 'postgres-exporter', {
        image: postgresExporter.image,
        containerName: postgresExporter.container,
        memoryMiB: postgresExporter.memory,
        role: statistics,
      })
    : undefined;
  exporter?.runAfter(prepared);
  if (postgresExporter.publish) exporter?.publish(exporter.metrics, postgresExporter.publish);
  const settled = new PostgresLogins(scope, 'postgres-logins', {
    postgres: server,
    roles: [history, numbers, statistics].filter((role) => role !== undefined),
  });
  return { server, history, numbers, prepared, exporter, settled };
}

/** Roles for whoever comes through PostgreSQL's published port. */
function admitted(server: Postgres, { roles, publish }: Settings['services']['postgres']): PostgresRolesProps['roles'] {
  const all = Object.entries(roles).map(([name, { rights, from }]) => {
    const endpoint = server.role(name);
    server.admit(endpoint, from);
    return { endpoint, grants: rights === 'write' ? 'history' : 'read' } as const;
  });
  const [first] = all;
  if (publish && first) server.publish(first.endpoint, publish);
  return all;
}
