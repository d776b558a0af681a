import { folderOf, modelError, Service, type Workload } from '../../model/index.js';
import type { Topology } from './topology.js';

/** Refuse by name what Docker or its provider cannot express, or would drop in silence. */
export function refuseUnsupported(workload: Workload, topology: Topology): void {
  const refuse = (message: string, remedy: string): never => {
    throw modelError(workload, message, remedy, 'ENGINE_UNSUPPORTED');
  };
  const reference = workload.image === 'bundled-apps' ? undefined : workload.image.reference;
  if (reference !== undefined && !/:[^/:@]+(@sha256:[0-9a-f]{64})?$/.test(reference)) {
    refuse(`the image ${reference} has no tag`, 'write repository:tag');
  }
  if (reference !== undefined && /:latest(@|$)/.test(reference)) {
    refuse(`the image ${reference} names another image every week`, 'pin a version');
  }
  for (const mount of workload.hostMounts) {
    if (!mount.hostPath.startsWith('/'))
      refuse(`the host folder ${mount.hostPath} is relative`, 'write an absolute path');
  }
  const targets = [
    ...workload.dataVolumes.map((volume) => volume.path),
    ...workload.tmpfs.map((mount) => mount.path),
    ...workload.hostMounts.map((mount) => mount.path),
    ...new Set(workload.configFiles.map((file) => folderOf(file.path))),
  ];
  const twice = targets.find((path, index) => targets.indexOf(path) !== index);
  if (twice !== undefined) refuse(`two things are mounted at ${twice}`, 'mount one of them elsewhere');
  if (!Service.isService(workload)) return;
  if (workload.hardening.hostNetwork && workload.published.length > 0) {
    refuse('a service on the host’s network cannot publish ports', 'let it listen on the port itself');
  }
  if (workload.hardening.hostNetwork && workload.connections.length > 0) {
    refuse('a service on the host’s network is not on the networks of its servers', 'give it a network of its own');
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
