import type { ContainerConfig } from '@cdktf/provider-docker/lib/container/index.js';
import { modelError, type Workload } from '../../model/index.js';

/** How NVIDIA's runtime is told which cards a container sees. */
const VISIBLE_DEVICES = 'NVIDIA_VISIBLE_DEVICES';

/** What NVIDIA's tools call a card, or a part of one. */
const DEVICE = /^(\d{1,2}|(GPU|MIG)-[A-Za-z0-9][A-Za-z0-9/-]*)$/;

const byRuntime = (workload: Workload): boolean =>
  workload.gpus !== undefined && workload.gpus.handedOutBy !== 'device-request';

const devicesOf = ({ gpus }: Workload): string =>
  gpus === undefined ? '' : gpus.devices === 'all' ? 'all' : gpus.devices.join(',');

/** Fields of a container that give it its graphics cards. */
export function gpuFields(workload: Workload): Pick<ContainerConfig, 'runtime' | 'gpus'> {
  if (workload.gpus === undefined) return {};
  if (byRuntime(workload)) return { runtime: 'nvidia' };
  return workload.gpus.devices === 'all' ? { gpus: 'all' } : {};
}

/**
 * The block `device_requests` of a container that the engine gives some cards by name; undefined for every other one.
 * The provider's `gpus` splits its value at commas and takes `device=0,2` for card 0 and two more, which the daemon
 * refuses.
 */
export function deviceRequests(workload: Workload): readonly object[] | undefined {
  const { gpus } = workload;
  if (gpus === undefined || gpus.devices === 'all' || byRuntime(workload)) return undefined;
  return [{ driver: 'nvidia', device_ids: [...gpus.devices].sort(), capabilities: ['gpu'] }];
}

/** Variables that give a container its graphics cards. */
export function gpuVariables(workload: Workload): readonly (readonly [name: string, value: string])[] {
  if (!byRuntime(workload)) return [];
  return [
    [VISIBLE_DEVICES, devicesOf(workload)],
    ['NVIDIA_DRIVER_CAPABILITIES', 'compute,utility'],
  ];
}

/** What a workload asks of graphics cards that the engine cannot give; undefined when there is nothing. */
export function gpuFault(workload: Workload): readonly [message: string, remedy: string] | undefined {
  const { gpus } = workload;
  if (gpus === undefined) return undefined;
  const own = gpuVariables(workload)
    .map(([name]) => name)
    .concat(VISIBLE_DEVICES)
    .find((name) => workload.environment.has(name));
  // A runtime that sees the variable would hand out other cards than `gpus` says.
  if (own !== undefined)
    return [`the variable ${own} chooses graphics cards past \`gpus\``, 'leave it out and set `gpus`'];
  if (gpus.devices === 'all') return undefined;
  if (gpus.devices.length === 0) return ['`gpus` names no graphics card', "name one, or 'all', or leave `gpus` out"];
  const wrong = gpus.devices.find((device) => !DEVICE.test(device));
  if (wrong !== undefined)
    return [`'${wrong}' is no graphics card`, 'write an index or a UUID, as `nvidia-smi -L` shows them'];
  const twice = gpus.devices.find((device, index) => gpus.devices.indexOf(device) !== index);
  return twice === undefined ? undefined : [`the graphics card ${twice} is named twice`, 'name it once'];
}

/**
 * A runtime and a device request exclude each other: the request would override what the runtime was told.
 *
 * @throws RagdockError ENGINE_UNSUPPORTED when an override added the second
 */
export function refuseGpusTwice(workload: Workload, config: ContainerConfig): void {
  const named = deviceRequests(workload) !== undefined;
  const ways = [config.runtime === 'nvidia', config.gpus !== undefined, named].filter((way) => way);
  if (ways.length < 2) return;
  throw modelError(
    workload,
    named
      ? 'graphics cards are handed out by name and by an override at once'
      : 'graphics cards are handed out by the runtime nvidia and by a device request at once',
    'choose one of the two with `gpus.handedOutBy`, and leave the other out of overrides',
    'ENGINE_UNSUPPORTED',
  );
}
