import type { Construct } from 'constructs';
import {
  GRAFANA_ADMIN_VARIABLES,
  type GrafanaAdminSettings,
  POSTGRES_ROLES_VARIABLES,
  type PostgresGrants,
  type PostgresLoginsSettings,
  type PostgresRolesSettings,
  QDRANT_COLLECTIONS_VARIABLES,
  type QdrantCollectionsSettings,
} from '../../src/apps/jobs/settings.js';
import { type Endpoint, Job, login, modelError, secretPath } from '../model/index.js';
import { addSettings, bundledApp, JOB_DEADLINE_SECONDS, TRUST_VARIABLE } from './bundled-app.js';
import type { ExternalPostgres } from './external-servers.js';
import type { Grafana } from './grafana.js';
import type { Postgres } from './postgres.js';

/** How long clients have to leave a login; ours look for a new one every few seconds. */
const LEAVING_SECONDS = 60;

/** Whose roles are made. */
export interface PostgresRolesProps {
  /** The server on which they are made. */
  readonly postgres: Postgres;
  /** Endpoints that `Postgres.role` returned, with what each role may do. */
  readonly roles: readonly { readonly endpoint: Endpoint; readonly grants: PostgresGrants }[];
}

/** Makes the roles of PostgreSQL with their passwords and least rights, and migrates the schema. */
export class PostgresRoles extends Job {
  constructor(scope: Construct, id: string, props: PostgresRolesProps) {
    super(scope, id, { ...bundledApp('job-postgres-roles'), memoryMiB: 128 });
    this.connectTo(props.postgres.superuser, {
      url: POSTGRES_ROLES_VARIABLES.postgresUrl,
      credential: POSTGRES_ROLES_VARIABLES.passwordFile,
      rereads: true,
    });
    const roles = props.roles.map(({ endpoint, grants }) => {
      if (endpoint.owner !== props.postgres || endpoint.user === undefined || !endpoint.credential) {
        throw modelError(
          this,
          `${endpoint.name} is no role of ${props.postgres.node.id}`,
          'pass what `role()` returned',
        );
      }
      this.addSecret(endpoint.credential);
      this.opens(endpoint.credential);
      const passwordFile = secretPath(endpoint.credential, 'current');
      return { name: endpoint.user, login: endpoint.loginsInTurn ? login(endpoint) : undefined, passwordFile, grants };
    });
    addSettings(
      this,
      (context) =>
        ({
          database: props.postgres.database,
          roles: roles.map(({ name, login, passwordFile, grants }) => ({
            name,
            ...(login === undefined ? {} : { login: context.render(login) }),
            passwordFile: context.render(passwordFile),
            grants,
          })),
          deadlineSeconds: JOB_DEADLINE_SECONDS,
        }) satisfies PostgresRolesSettings,
    );
  }
}

/** Whose old logins are taken away. */
export interface PostgresLoginsProps {
  /** The server on which they are. */
  readonly postgres: Postgres;
  /** Endpoints that `Postgres.role` returned, whose logins take turns. */
  readonly roles: readonly Endpoint[];
}

/** Takes away the logins that clients of PostgreSQL have left. Let it run after all of them. */
export class PostgresLogins extends Job {
  constructor(scope: Construct, id: string, { postgres, roles }: PostgresLoginsProps) {
    super(scope, id, { ...bundledApp('job-postgres-logins'), memoryMiB: 128 });
    this.connectTo(postgres.superuser, {
      url: POSTGRES_ROLES_VARIABLES.postgresUrl,
      credential: POSTGRES_ROLES_VARIABLES.passwordFile,
      rereads: true,
    });
    const names = roles.map((endpoint) => {
      if (endpoint.owner === postgres && endpoint.user !== undefined && endpoint.loginsInTurn) {
        return { name: endpoint.user, login: login(endpoint) };
      }
      throw modelError(
        this,
        `${endpoint.name} is no role of ${postgres.node.id} whose logins take turns`,
        'pass what `role(name, { inTurn: true })` returned',
      );
    });
    addSettings(
      this,
      (context) =>
        ({
          database: postgres.database,
          roles: names.map((role) => ({ name: role.name, login: context.render(role.login) })),
          deadlineSeconds: LEAVING_SECONDS,
        }) satisfies PostgresLoginsSettings,
    );
  }
}

/** Whose schema is kept up to date. */
export interface PostgresMigrationsProps {
  /** A server outside the stack. */
  readonly postgres: ExternalPostgres;
}

/** Migrates the schema of a database outside the stack, as the role that the stack was given. It makes no roles. */
export class PostgresMigrations extends Job {
  constructor(scope: Construct, id: string, { postgres }: PostgresMigrationsProps) {
    super(scope, id, { ...bundledApp('job-postgres-roles'), memoryMiB: 128 });
    this.connectTo(postgres.role, {
      url: POSTGRES_ROLES_VARIABLES.postgresUrl,
      credential: POSTGRES_ROLES_VARIABLES.passwordFile,
      rereads: true,
      trust: TRUST_VARIABLE,
    });
    addSettings(this, {
      external: true,
      database: postgres.database,
      roles: [],
      deadlineSeconds: JOB_DEADLINE_SECONDS,
    } satisfies PostgresRolesSettings);
  }
}

/** Where collections are made, and which. */
export interface QdrantCollectionsProps {
  /** Qdrant's REST endpoint. */
  readonly qdrant: Endpoint;
  /** At least one, each with the language that its texts are stemmed in. */
  readonly collections: QdrantCollectionsSettings['collections'];
}

/** Makes the collections and their indexes, and refuses collections that were made otherwise. */
export class QdrantCollections extends Job {
  constructor(scope: Construct, id: string, props: QdrantCollectionsProps) {
    super(scope, id, { ...bundledApp('job-qdrant-collections'), memoryMiB: 128 });
    this.connectTo(props.qdrant, {
      url: QDRANT_COLLECTIONS_VARIABLES.qdrantUrl,
      credential: QDRANT_COLLECTIONS_VARIABLES.qdrantKeyFile,
      rereads: true,
      trust: TRUST_VARIABLE,
    });
    addSettings(this, {
      collections: [...props.collections],
      deadlineSeconds: JOB_DEADLINE_SECONDS,
    } satisfies QdrantCollectionsSettings);
  }
}

/** Whose password is kept up. */
export interface GrafanaAdminProps {
  /** The server whose `admin` gets it. */
  readonly grafana: Grafana;
}

/** Gives Grafana's `admin` the newest password of its secret. Grafana itself takes it for a new database alone. */
export class GrafanaAdmin extends Job {
  constructor(scope: Construct, id: string, { grafana }: GrafanaAdminProps) {
    super(scope, id, { ...bundledApp('job-grafana-admin'), memoryMiB: 128 });
    this.connectTo(grafana.http, {
      url: GRAFANA_ADMIN_VARIABLES.grafanaUrl,
      credential: GRAFANA_ADMIN_VARIABLES.passwordFile,
      rereads: true,
    });
    addSettings(this, { deadlineSeconds: JOB_DEADLINE_SECONDS } satisfies GrafanaAdminSettings);
  }
}
