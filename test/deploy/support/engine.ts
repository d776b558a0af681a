import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';

/** The engine of the test host. */
export const docker = new Docker({ socketPath: '/var/run/docker.sock' });

export const ENVIRONMENT = 'dev';
const PREFIX = `${ENVIRONMENT}-`;

/** Services of the environment: containers that run all the time. */
export const SERVICES = [
  'llm-main',
  'node-exporter',
  'postgres',
  'prometheus',
  'qdrant',
  'rag-api',
  'web-bot',
] as const;
export type ServiceName = (typeof SERVICES)[number];

export const containerOf = (service: string): Docker.Container => docker.getContainer(`${PREFIX}${service}`);

/** Id of every service's container. */
export async function containerIds(): Promise<Record<ServiceName, string>> {
  const entries = await Promise.all(
    SERVICES.map(async (service) => [service, (await containerOf(service).inspect()).Id] as const),
  );
  return Object.fromEntries(entries) as Record<ServiceName, string>;
}

/** Ask again and again until `condition` gives something; fails with what it gave last. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  seconds = 120,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const result = await condition();
      if (result !== undefined && result !== false) return result;
      last = result;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(
    `not within ${seconds} s: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}

/** Waits until every service is running and healthy. */
export async function allHealthy(seconds = 240): Promise<void> {
  for (const service of SERVICES) {
    await until(
      `${service} is healthy`,
      async () => {
        const { State } = await containerOf(service).inspect();
        if (State.Running && State.Health?.Status === 'healthy') return true;
        throw new Error(`${State.Status}, ${State.Health?.Status}: ${State.Health?.Log?.at(-1)?.Output?.trim() ?? ''}`);
      },
      seconds,
    );
  }
}

/** The whole log of a container, as text. */
export async function logsOf(id: string): Promise<string> {
  const raw = await docker.getContainer(id).logs({ stdout: true, stderr: true, follow: false });
  return raw.toString('utf8');
}

/** Run a program inside a running container and give back what it printed; it has no terminal that it could wait on. */
export async function execIn(service: string, command: readonly string[]): Promise<string> {
  const exec = await containerOf(service).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const both = new PassThrough();
  docker.modem.demuxStream(stream, both, both);
  stream.once('end', () => both.end());
  const output = await text(both);
  const { ExitCode } = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`${command.join(' ')} in ${service} ended with ${ExitCode}: ${output}`);
  return output;
}
