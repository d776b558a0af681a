import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import { until } from './poll.js';

/** Where the engine of the test host listens, or the one beside it that `test/host/newest-engine` started. */
export const TEST_HOST_SOCKET = process.env.RAGDOCK_ENGINE_SOCKET ?? '/var/run/docker.sock';

/** The engine on {@link TEST_HOST_SOCKET}. */
export const docker = new Docker({ socketPath: TEST_HOST_SOCKET });

/** An engine as the tests see it, whatever way the commands take to it, with the containers of one environment. */
export class EngineView {
  readonly docker: Docker;

  /**
   * @param environment what the names of its containers start with
   * @param services its services: containers that run all the time and have a health check
   * @param named names of containers that do not start with the environment's, by service
   * @param namedVolumes volumes whose names do not start with the environment's
   */
  constructor(
    socket: string,
    readonly environment: string,
    readonly services: readonly string[],
    readonly named: Readonly<Record<string, string>> = {},
    readonly namedVolumes: readonly string[] = [],
  ) {
    this.docker = new Docker({ socketPath: socket });
  }

  /** Name of a service's container, which is its host name in networks. */
  readonly nameOf = (service: string): string => this.named[service] ?? `${this.environment}-${service}`;

  readonly containerOf = (service: string): Docker.Container => this.docker.getContainer(this.nameOf(service));

  /** Id of every service's container. */
  readonly containerIds = async (): Promise<Record<string, string>> => {
    const entries = this.services.map(
      async (service) => [service, (await this.containerOf(service).inspect()).Id] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  };

  /** Waits until every service is running and healthy. */
  readonly allHealthy = async (seconds = 240): Promise<void> => {
    for (const service of this.services) {
      await until(
        `${service} is healthy`,
        async () => {
          const { State } = await this.containerOf(service).inspect();
          if (State.Running && State.Health?.Status === 'healthy') return true;
          const said = State.Health?.Log?.at(-1)?.Output?.trim() ?? '';
          throw new Error(`${State.Status}, ${State.Health?.Status}: ${said}`);
        },
        seconds,
      );
    }
  };

  /** Names of the environment's containers, of whatever state. */
  readonly containers = async (): Promise<string[]> => {
    const found = await this.docker.listContainers({ all: true });
    return this.#own(found.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, ''))));
  };

  /** Names of the environment's volumes. */
  readonly volumes = async (): Promise<string[]> => {
    const { Volumes } = await this.docker.listVolumes();
    return this.#own((Volumes ?? []).map(({ Name }) => Name));
  };

  /** The whole log of a container, as text. */
  readonly logsOf = async (id: string): Promise<string> => {
    const raw = await this.docker.getContainer(id).logs({ stdout: true, stderr: true, follow: false });
    return raw.toString('utf8');
  };

  /** Run a program inside a running container and give back what it printed; it has no terminal that it could wait on. */
  readonly execIn = async (service: string, command: readonly string[]): Promise<string> => {
    const exec = await this.containerOf(service).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    const both = new PassThrough();
    this.docker.modem.demuxStream(stream, both, both);
    stream.once('end', () => both.end());
    const output = await text(both);
    const { ExitCode } = await exec.inspect();
    if (ExitCode !== 0) throw new Error(`${command.join(' ')} in ${service} ended with ${ExitCode}: ${output}`);
    return output;
  };

  #own(names: readonly string[]): string[] {
    const starts = [this.environment, ...Object.values(this.named)];
    const all = new Set([...Object.values(this.named), ...this.namedVolumes]);
    return names.filter((name) => all.has(name) || starts.some((start) => name.startsWith(`${start}-`))).sort();
  }
}
