import { folderOf, modelError, Service, type Workload } from '../../model/index.js';
import { folderId } from './files.js';
import { gpuFault } from './gpus.js';
import { SECRETS_FOLDER, type Topology } from './topology.js';

/** Refuse by name what Docker or its provider cannot express, or would drop in silence. */
export function refuseUnsupported(workload: Workload, topology: Topology): void {
  const refuse = (message: string, remedy: string): never => {
    throw modelError(workload, message, remedy, 'ENGINE_UNSUPPORTED');
  };
  const reference = workload.image === 'bundled-apps' ? undefined : workload.image.reference;
  if (reference !== undefined && !/:[^/:@]+$/.test(reference.replace(/@sha256:[0-9a-f]{64}$/, ''))) {
    refuse(`the image ${reference} has no tag`, 'write repository:tag');
  }
  if (reference !== undefined && /:latest(@|$)/.test(reference)) {
    refuse(`the image ${reference} names another image every week`, 'pin a version');
  }
  for (const mount of workload.hostMounts) {
    if (!mount.hostPath.startsWith('/'))
      refuse(`the host folder ${mount.hostPath} is relative`, 'write an absolute path');
  }
  const carried = [
    ...new Set(workload.configFiles.map((file) => folderOf(file.path))),
    ...(workload.secrets.length > 0 ? [SECRETS_FOLDER] : []),
  ];
  const targets = [
    ...workload.dataVolumes.map((volume) => volume.path),
    ...workload.tmpfs.map((mount) => mount.path),
    ...workload.hostMounts.map((mount) => mount.path),
    ...carried,
  ];
  const twice = targets.find((path, index) => targets.indexOf(path) !== index);
  if (twice !== undefined) refuse(`two things are mounted at ${twice}`, 'mount one of them elsewhere');
  for (const folder of carried) {
    const alike = carried.find((other) => other !== folder && folderId(other) === folderId(folder));
    if (alike !== undefined) {
      refuse(`the files of ${folder} and of ${alike} would share a volume`, 'give one folder another name');
    }
    const inside = targets.find((path) => path.startsWith(`${folder}/`));
    // The engine makes a missing mount point, which it cannot do inside a volume mounted for reading only.
    if (inside !== undefined) {
      refuse(`${inside} would be mounted inside the read-only files of ${folder}`, 'mount one of them elsewhere');
    }
  }
  const gpus = gpuFault(workload);
  if (gpus) refuse(...gpus);
  if (workload.hardening.hostIpc && workload.shmSizeMiB !== undefined) {
    refuse('with the host’s shared memory a size of its own means nothing', 'leave shmSizeMiB or relax.hostIpc out');
  }
  if (workload.hardening.hostNetwork && workload.connections.length > 0) {
    refuse('a workload on the host’s network is not on the networks of its servers', 'give it a network of its own');
  }
  if (!Service.isService(workload)) return;
  if (workload.hardening.hostNetwork && workload.published.length > 0) {
    refuse('a service on the host’s network cannot publish ports', 'let it listen on the port itself');
  }
  const external = workload.published.map((published) => `${published.address}:${published.port}`);
  if (new Set(external).size !== external.length) refuse('two endpoints are published on one port', 'choose two ports');
  if (workload.deployWaitSeconds !== undefined && workload.healthCheck.command.length === 0) {
    refuse('a deploy cannot wait for a service without a health check', 'give it one, or do not wait');
  }
  if (workload.deployWaitSeconds !== undefined && workload.dataVolumes.some((volume) => volume.readOnly !== true)) {
    refuse(
      `${topology.containerName(workload)} keeps data: a deploy that gives up waiting for it would kill it at the next one`,
      'leave deployWaitSeconds out; smoke tests wait for it',
    );
  }
}

/** Refuse a workload whose own start is among the things that it has to wait for. */
export function refuseCycle(waiting: readonly Workload[]): void {
  const last = waiting[waiting.length - 1];
  const first = last ? waiting.indexOf(last) : -1;
  if (!last || first === waiting.length - 1) return;
  const ids = waiting.slice(first).map((workload) => workload.node.id);
  throw modelError(
    last,
    `it would have to start before itself: ${ids.join(' → ')}`,
    'drop one of these connections or runAfter calls',
    'ENGINE_UNSUPPORTED',
  );
}
