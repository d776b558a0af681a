import { z } from 'zod';

/** One difference between a container and what synth would make of its workload now. */
const Drift = z.strictObject({
  what: z
    .enum(['specification', 'image', 'memory', 'networks'])
    .describe('What differs; the specification is everything that the other words do not name'),
  runs: z.string().optional().describe('What the container has'),
  wanted: z.string().optional().describe('What the environment’s files say'),
});
export type Drift = z.output<typeof Drift>;

const common = {
  name: z.string().describe('Id of the workload'),
  container: z.string().describe('Name of its container on the engine'),
  ok: z.boolean().describe('Whether it is as it should be'),
  why: z.string().optional().describe('What is wrong, with the last output of the health check'),
  image: z
    .strictObject({
      reference: z.string().describe('Name and tag; the beginning of the id where the engine knows no name'),
      id: z.string().describe('Id on the engine'),
    })
    .optional()
    .describe('What it runs; absent without a container'),
  drift: z.array(Drift).describe('How the container differs from what a deploy would make now'),
};

const ServiceStatus = z.strictObject({
  ...common,
  state: z
    .string()
    .describe(
      'healthy, starting, unhealthy; running, where nothing checks it; missing; or what the engine says: restarting, exited, created, paused, removing, dead',
    ),
  since: z.iso.datetime().optional().describe('When it was started; when it ended, if it has'),
  restarts: z.int().min(0).optional().describe('How often the engine started it again'),
  memory: z
    .strictObject({
      limitBytes: z.int().min(0),
      usedBytes: z.int().min(0).optional().describe('Without the page cache; absent when the engine does not tell'),
    })
    .optional(),
  urls: z
    .array(z.strictObject({ endpoint: z.string(), url: z.string() }))
    .describe('Where published endpoints answer, as seen from the engine’s host'),
  networks: z.array(z.string()).describe('Names of the networks that it is in'),
});
export type ServiceStatus = z.output<typeof ServiceStatus>;

const JobStatus = z.strictObject({
  ...common,
  state: z
    .enum(['done', 'running', 'failed', 'removed'])
    .describe('A removed one does no harm: the next deploy runs it again'),
  exitCode: z.int().optional(),
  endedAt: z.iso.datetime().optional(),
  seconds: z.number().min(0).optional().describe('How long it took'),
});
export type JobStatus = z.output<typeof JobStatus>;

/** What `ragdock status --json` writes. */
export const StatusReport = z
  .strictObject({
    schema: z.literal(1).describe('Version of this format'),
    environment: z.string().describe('Name of the environment'),
    engine: z.string().describe('Address of the engine'),
    at: z.iso.datetime().describe('When it was, by the engine’s clock'),
    ok: z.boolean().describe('Whether every service runs and is healthy, and no job failed'),
    drifted: z.boolean().describe('Whether the engine has something else than a deploy would make now'),
    appsCompared: z
      .boolean()
      .describe('Whether the image of the bundled apps was compared; it is not where they are not built'),
    services: z.array(ServiceStatus),
    jobs: z.array(JobStatus),
    external: z
      .array(
        z.strictObject({
          name: z.string().describe('Id of the service'),
          url: z.string().describe('Where it is asked; holds no credential'),
          clients: z.array(z.string()).describe('Ids of the workloads that ask it'),
        }),
      )
      .describe('Servers that somebody else runs. How they are is asked by the smoke tests'),
    volumes: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(['data', 'files']).describe('Data outlives everything; files are made anew by a deploy'),
        usedBy: z.array(z.string()).describe('Ids of the workloads that mount it'),
        present: z.boolean(),
      }),
    ),
    networks: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(['pair', 'external', 'published', 'egress']),
        members: z.array(z.string()).describe('Ids of the workloads that belong into it'),
        present: z.boolean(),
      }),
    ),
    leftOver: z
      .array(z.strictObject({ container: z.string(), state: z.string() }))
      .describe('Containers that carry the environment’s label and are no part of it any more'),
  })
  .describe('What of an environment runs');
export type StatusReport = z.output<typeof StatusReport>;

/** The JSON Schema of the report, as it is committed. */
export function statusReportSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(StatusReport), null, 2)}\n`;
}
