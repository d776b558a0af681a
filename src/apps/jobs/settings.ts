import { z } from 'zod';
import { CollectionSettings } from '../../rag/retrieval/collection-settings.js';

/** Every job reads its settings from the file that this variable names. */
export const JOB_SETTINGS_VARIABLE = 'RAGDOCK_SETTINGS';

/** What a role may do: read and write the history, only read it, read the server's statistics, or read numbers about the history. */
export const PostgresGrants = z.enum(['history', 'read', 'monitor', 'numbers']);
/** One of the things that a role may do. */
export type PostgresGrants = z.output<typeof PostgresGrants>;

/**
 * `postgres-roles`: logs in as the superuser, makes roles with the passwords of their files, and migrates the schema. On
 * an external server it logs in as the one role that the stack was given, and only migrates.
 */
export const PostgresRolesSettings = z.strictObject({
  /** Nobody gave us a superuser: roles, passwords and rights are somebody else's. @default - they are ours */
  external: z.literal(true).optional(),
  database: z.string(),
  roles: z.array(
    z.strictObject({
      name: z.string(),
      /** Who logs in for it with the version of the password that is in force. @default - the role itself */
      login: z.string().optional(),
      /** Path of the file of the version that is in force. The folder may hold newer ones, where a rotation was taken back. */
      passwordFile: z.string(),
      grants: PostgresGrants,
    }),
  ),
  /** Longest wait for a server that is still starting, in seconds. */
  deadlineSeconds: z.int(),
});
export type PostgresRolesSettings = z.output<typeof PostgresRolesSettings>;
export const POSTGRES_ROLES_VARIABLES = {
  postgresUrl: 'POSTGRES_URL',
  passwordFile: 'POSTGRES_PASSWORD_FILE',
} as const;

/** `postgres-logins`: takes away the logins of roles that no client uses any more. */
export const PostgresLoginsSettings = z.strictObject({
  database: z.string(),
  /** Roles whose logins take turns, each with the login that stays. */
  roles: z.array(z.strictObject({ name: z.string(), login: z.string() })),
  /** Longest wait for clients to leave a login, and for a server that is still starting, in seconds. */
  deadlineSeconds: z.int(),
});
export type PostgresLoginsSettings = z.output<typeof PostgresLoginsSettings>;

/** `qdrant-collections`: makes the collections and their indexes, and refuses collections made otherwise. */
export const QdrantCollectionsSettings = z.strictObject({
  collections: z.array(CollectionSettings).min(1),
  deadlineSeconds: z.int(),
});
/** The settings file of the job that makes collections. */
export type QdrantCollectionsSettings = z.output<typeof QdrantCollectionsSettings>;
export const QDRANT_COLLECTIONS_VARIABLES = { qdrantUrl: 'QDRANT_URL', qdrantKeyFile: 'QDRANT_API_KEY_FILE' } as const;

/** `grafana-admin`: gives Grafana's administrator the newest password. */
export const GrafanaAdminSettings = z.strictObject({
  /** Longest wait for a server that is still starting, in seconds. */
  deadlineSeconds: z.int(),
});
export type GrafanaAdminSettings = z.output<typeof GrafanaAdminSettings>;
export const GRAFANA_ADMIN_VARIABLES = { grafanaUrl: 'GRAFANA_URL', passwordFile: 'GRAFANA_PASSWORD_FILE' } as const;

/** `model`: puts a model file into a volume, by download when it is not there. */
export const ModelSettings = z.strictObject({
  url: z.string(),
  /** Absolute path of the file inside the container. */
  file: z.string(),
  sha256: z.string(),
  deadlineSeconds: z.int(),
});
export type ModelSettings = z.output<typeof ModelSettings>;

/** `hugging-face`: puts the files of a repository into a volume, by download when they are not there. */
export const HuggingFaceSettings = z.strictObject({
  /** Where the hub is, without a slash at the end. */
  endpoint: z.string(),
  repository: z.string(),
  /** Branch, tag or commit. */
  revision: z.string(),
  /** Absolute path of the folder that `HF_HOME` names for its readers. */
  home: z.string(),
  deadlineSeconds: z.int(),
});
export type HuggingFaceSettings = z.output<typeof HuggingFaceSettings>;
export const HUGGING_FACE_VARIABLES = { tokenFile: 'HF_TOKEN_FILE' } as const;
