import { z } from 'zod';

/** What the agent exporter is told by its settings file; addresses and the password come by environment variables. */
export const AgentExporterSettings = z.strictObject({
  /** Port inside the container. */
  listen: z.strictObject({ port: z.int() }),
  /** Values of the label `course`; every other course is `other`. */
  courses: z.array(z.string()).min(1),
  /** Values of the label `collection`; every other collection is `other`. */
  collections: z.array(z.string()).min(1),
});
/** The settings file of the agent exporter. */
export type AgentExporterSettings = z.output<typeof AgentExporterSettings>;

/** Variables of the container. `…_FILE` is a path without version: the two newest `PATH.vN` are tried. */
export const AGENT_EXPORTER_VARIABLES = {
  settings: 'RAGDOCK_SETTINGS',
  postgresUrl: 'POSTGRES_URL',
  postgresPasswordFile: 'POSTGRES_PASSWORD_FILE',
  /** Of the port that serves Qdrant's metrics without a key. */
  qdrantMetricsUrl: 'QDRANT_METRICS_URL',
} as const;
