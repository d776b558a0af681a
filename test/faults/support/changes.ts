import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ContainerCreateOptions, ContainerInspectInfo, HealthConfig, HostConfig, MountSettings } from 'dockerode';
import type { Deployment } from '../../deploy/support/deployment.js';
import { inVolume } from '../../deploy/support/in-volume.js';
import type { Undo } from './fault.js';

export const inspect = ({ engine }: Deployment, service: string): Promise<ContainerInspectInfo> =>
  engine.containerOf(service).inspect();

export async function isStatus(deployment: Deployment, service: string, status: string): Promise<boolean> {
  return (await inspect(deployment, service)).State.Status === status;
}

/** Whether a container was started again and again by the engine. */
export async function isLooping(deployment: Deployment, service: string): Promise<boolean> {
  return (await inspect(deployment, service)).RestartCount >= 3;
}

export async function restart({ engine }: Deployment, service: string): Promise<void> {
  await engine.containerOf(service).restart();
}

/** What a changed container may have otherwise than the one in whose place it is. */
export interface Change extends Pick<ContainerCreateOptions, 'Image' | 'Cmd' | 'Entrypoint' | 'Env' | 'Labels'> {
  readonly Mounts?: readonly MountSettings[];
  readonly HostConfig?: HostConfig;
  /** Times in nanoseconds. */
  readonly Healthcheck?: HealthConfig;
}

/** Put a container aside, stopped, as if somebody had removed it. */
export async function setAside(deployment: Deployment, service: string): Promise<Undo> {
  const { engine } = deployment;
  const name = engine.nameOf(service);
  const { Id, State } = await inspect(deployment, service);
  const kept = engine.docker.getContainer(Id);
  if (State.Running) await kept.stop();
  await kept.rename({ name: `${name}-kept` });
  return async () => {
    // Whatever is in its place, also when that was never made.
    const [other] = await engine.docker.listContainers({ all: true, filters: { name: [`^/${name}$`] } });
    if (other) await engine.docker.getContainer(other.Id).remove({ force: true });
    await kept.rename({ name });
    if (State.Running) await kept.start();
  };
}

/** Put a container in a service's place that is the same but for a few things; the true one waits, stopped. */
export async function inPlaceOf(
  deployment: Deployment,
  service: string,
  change: (was: ContainerInspectInfo) => Change,
): Promise<Undo> {
  const { engine } = deployment;
  const name = engine.nameOf(service);
  const was = await inspect(deployment, service);
  const { Config, HostConfig, NetworkSettings } = was;
  const { Mounts, HostConfig: host, ...changed } = change(was);
  const [first = 'none', ...further] = Object.keys(NetworkSettings.Networks);
  const undo = await setAside(deployment, service);
  try {
    const { Hostname: _, Domainname: __, ...config } = Config;
    const other = await engine.docker.createContainer({
      ...config,
      ...changed,
      name,
      HostConfig: { ...HostConfig, ...host, NetworkMode: first, ...(Mounts ? { Mounts: [...Mounts] } : {}) },
    } as ContainerCreateOptions);
    for (const network of further) await engine.docker.getNetwork(network).connect({ Container: other.id });
    await other.start();
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** Take a container off a network of the environment, by the network's id: `rag-api--qdrant`. */
export async function cutOff({ engine, name }: Deployment, service: string, id: string): Promise<Undo> {
  const network = engine.docker.getNetwork(`${name}-${id}`);
  const Container = engine.nameOf(service);
  await network.disconnect({ Container });
  return () => network.connect({ Container });
}

export async function isOnNetwork(deployment: Deployment, service: string, id: string): Promise<boolean> {
  return Object.hasOwn((await inspect(deployment, service)).NetworkSettings.Networks, `${deployment.name}-${id}`);
}

/** Volume that a service has at a path. */
export async function volumeAt(deployment: Deployment, service: string, path: string): Promise<string> {
  const found = (await inspect(deployment, service)).Mounts.find(({ Destination }) => Destination === path);
  if (!found?.Name) throw new Error(`${service} has no volume at ${path}`);
  return found.Name;
}

/**
 * Change a file of a service's volume with a piece of sh, which finds its path in `$FILE`.
 *
 * @param folder where the service has the volume
 */
export async function editFile(
  deployment: Deployment,
  { service, folder, file }: { readonly service: string; readonly folder: string; readonly file: string },
  script: string,
): Promise<Undo> {
  const volume = await volumeAt(deployment, service, folder);
  const run = (text: string) => inVolume(deployment.engine, volume, text, [`FILE=/volume/${file}`]);
  await run(`cp -p "$FILE" /volume/.kept; ${script}`);
  return async () => {
    await run('mv /volume/.kept "$FILE"');
  };
}

/** Have a file of the project say something else. */
export async function editProject(file: string, change: (text: string) => string): Promise<Undo> {
  const text = readFileSync(file, 'utf8');
  const other = change(text);
  if (other === text) throw new Error(`${file} has nothing to change`);
  copyFileSync(file, `${file}-kept`);
  writeFileSync(file, other);
  return async () => renameSync(`${file}-kept`, file);
}

/** Run one of the environment's jobs once more, to its end. */
export async function runJob({ engine }: Deployment, job: string): Promise<void> {
  const container = engine.docker.getContainer(engine.nameOf(job));
  await container.start();
  const { StatusCode } = await container.wait();
  if (StatusCode !== 0) throw new Error(`${job} ended with ${StatusCode}`);
}

/** One undo for several, the last of which goes first. */
export const undoAll =
  (...undos: readonly Undo[]): Undo =>
  async () => {
    for (const undo of [...undos].reverse()) await undo();
  };
