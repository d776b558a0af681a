import type Docker from 'dockerode';
import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import type { FindingId } from '../../../src/doctor/finding.js';
import type { DoctorFault, DoctorFaultContext } from './doctor-fault.js';

/** Behind the name of what waits to be put back. */
export const KEPT = '-kept';

export const nameOf = ({ environment }: DoctorFaultContext, service: string): string => `${environment}-${service}`;
export const containerOf = (context: DoctorFaultContext, service: string): Docker.Container =>
  context.docker.getContainer(nameOf(context, service));

/** Put a container aside, and one of the same settings but for `change` in its place. */
export async function replace(
  context: DoctorFaultContext,
  service: string,
  change: (options: ContainerCreateOptions) => ContainerCreateOptions,
): Promise<void> {
  const { docker } = context;
  const name = nameOf(context, service);
  const original = docker.getContainer(name);
  const found = await original.inspect();
  if (found.State.Running) await original.stop();
  await original.rename({ name: `${name}${KEPT}` });
  const [first, ...further] = Object.keys(found.NetworkSettings.Networks);
  const copy = await docker.createContainer({ ...change(optionsOf(found, first)), name });
  for (const network of further) await docker.getNetwork(network).connect({ Container: copy.id });
  await copy.start();
}

function optionsOf({ Config, HostConfig }: ContainerInspectInfo, network: string | undefined): ContainerCreateOptions {
  const { Image, Env, Cmd, Entrypoint, User, Labels } = Config;
  return {
    Image,
    Env,
    Cmd,
    ...(Entrypoint ? { Entrypoint } : {}),
    User,
    Labels,
    ...((Config as { Healthcheck?: object }).Healthcheck
      ? { Healthcheck: (Config as { Healthcheck?: object }).Healthcheck as never }
      : {}),
    HostConfig: { ...HostConfig, ...(network === undefined ? {} : { NetworkMode: network }) },
  };
}

/** Undo {@link replace} and {@link setAside}. */
export async function putBack(context: DoctorFaultContext, service: string, isService = true): Promise<void> {
  const { docker } = context;
  const name = nameOf(context, service);
  await docker
    .getContainer(name)
    .remove({ force: true })
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404) throw error;
    });
  await docker.getContainer(`${name}${KEPT}`).rename({ name });
  if (isService) await docker.getContainer(name).start();
}

export async function setAside(context: DoctorFaultContext, service: string): Promise<void> {
  const container = containerOf(context, service);
  const { State } = await container.inspect();
  if (State.Running) await container.stop();
  await container.rename({ name: `${nameOf(context, service)}${KEPT}` });
}

/** A service whose container runs this shell script instead. */
export const scripted = (
  id: string,
  service: string,
  expects: FindingId,
  script: string,
  host: Partial<ContainerCreateOptions['HostConfig']> = {},
): DoctorFault => ({
  id,
  service,
  expects,
  provoke: (context) =>
    replace(context, service, (options) => ({
      ...options,
      Entrypoint: ['/bin/sh', '-c', script],
      Cmd: [],
      HostConfig: { ...options.HostConfig, ...host },
    })),
  undo: (context) => putBack(context, service),
});
