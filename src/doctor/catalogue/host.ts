import type { FindingKind } from './kind.js';

/** Oldest engine that the stack is tested with, and the version of its API, by which it is known whatever it is called. */
export const OLDEST_ENGINE = { version: '20.10', api: '1.41' } as const;

/** Findings of the engine and of the machine under it. */
export const HOST_FINDINGS = {
  'engine-unreachable': {
    severity: 'broken',
    rank: 0,
    title: 'The Docker engine cannot be reached',
    seen: 'the answer of the connection, of ssh or of the name server; of a socket its owner and mode',
    meaning: '<why>',
    remedy: '<how>',
  },
  'engine-too-old': {
    severity: 'broken',
    rank: 0,
    title: 'The Docker engine is too old',
    seen: '`docker version`',
    meaning: `Engines before ${OLDEST_ENGINE.version} (API ${OLDEST_ENGINE.api}) lack what the stack is made of.`,
    remedy: 'Install a newer engine on the host; `docker version` shows which one runs.',
  },
  'nvidia-runtime-missing': {
    severity: 'broken',
    rank: 0,
    title: 'The engine has no NVIDIA runtime',
    seen: '`docker info`, or what the engine said when it could not start the container',
    meaning: 'It asks for graphics cards, and this engine has nothing that hands them to containers.',
    remedy:
      'Install nvidia-container-toolkit, then `nvidia-ctk runtime configure --runtime=docker && systemctl restart docker`.',
  },
  'gpu-lost': {
    severity: 'broken',
    rank: 0,
    title: 'The graphics cards are gone',
    seen: 'the log of a service on graphics cards, or what the engine said when it could not start it',
    meaning:
      'The container has lost its graphics cards (<nvml>). Most often systemd was reloaded, which takes devices from running containers, or the driver was updated under it.',
    remedy:
      '`nvidia-smi` has to work on the host; then `docker restart <container>`. For good: "exec-opts": ["native.cgroupdriver=cgroupfs"] in /etc/docker/daemon.json.',
  },
  'gpu-driver-too-old': {
    severity: 'broken',
    rank: 0,
    title: 'The driver of the graphics cards is too old',
    seen: 'what the engine said when it could not start the container (“requirement error: unsatisfied condition: …”)',
    meaning: 'The image of <service> needs <wants>, and the driver of the host does not have that.',
    remedy:
      'Install a newer driver on the host, then `docker start <container>`; `nvidia-smi` shows which CUDA a driver has. Or set `image` of <service> to one for an older CUDA, then `npx cdktf deploy <env>`.',
  },
  'gpu-unknown': {
    severity: 'broken',
    rank: 0,
    title: 'There is no such graphics card',
    seen: 'what the engine said when it could not start the container (“device error: …: unknown device”)',
    meaning: 'The host has no graphics card <device>, which <service> is to have.',
    remedy:
      '`nvidia-smi -L` on the host lists its cards; name one of them in `gpus.devices` of <service>, then `npx cdktf deploy <env>`.',
  },
  'disk-full': {
    severity: 'broken',
    rank: 0,
    title: 'A disk is full',
    seen: 'room of the file systems under the engine and under each volume, where they are seen from here; logs',
    meaning: 'Databases can write nothing any more. Probes of Qdrant stay green meanwhile.',
    remedy:
      '`docker system df -v` shows what takes the room; `docker image prune` gives back images that nobody uses. A volume on a disk of its own needs a larger one.',
  },
  'disk-nearly-full': {
    severity: 'risk',
    rank: 5,
    title: 'A disk is nearly full',
    seen: 'room of the file systems under the engine and under each volume, where they are seen from here',
    meaning: 'Databases stop to write when the rest is used up.',
    remedy: '`docker system df -v` shows what takes the room; `docker image prune` gives back images that nobody uses.',
  },
  'port-taken': {
    severity: 'broken',
    rank: 1,
    title: 'A port is taken',
    seen: '`docker ps`, /proc/net/tcp where the engine is on this machine, or what the engine said when it could not start the container',
    meaning: 'The environment publishes port <port> of the host, which <holder> has.',
    remedy: '`<stop>`, or another port in `publish` of <service> and `npx cdktf deploy <env>`.',
  },
  'network-addresses-taken': {
    severity: 'broken',
    rank: 1,
    title: 'Addresses of a network are taken',
    seen: '`docker network ls`, or what the engine said when it could not start the container',
    meaning:
      'Another network of the engine has addresses that the lock file promises to this environment; a deploy fails with “Pool overlaps with other one on this address space”.',
    remedy:
      'Remove the other network with `docker network rm <other>`, or choose another `host.networkPool`, then `npx ragdock lock <env>` and `npx cdktf deploy <env>`.',
  },
  'network-pool-exhausted': {
    severity: 'broken',
    rank: 1,
    title: 'A network has no address left',
    seen: 'the lock file, or what the engine said when it could not start the container',
    meaning: 'There are more networks than the pool holds, or more containers than a network has addresses.',
    remedy:
      'For networks: a larger `host.networkPool`, `npx ragdock lock <env>`, `npx cdktf deploy <env>`. For containers: `docker network inspect NETWORK` shows who has its addresses.',
  },
  'default-pools-used-up': {
    severity: 'risk',
    rank: 30,
    title: 'The engine has no addresses for further networks',
    seen: '`docker network ls` against the default address pools of the engine',
    meaning:
      'Networks of this environment have addresses of their own; any other one that is made on this host fails with “all predefined address pools have been fully subnetted”.',
    remedy: '`docker network prune` removes networks that no container is in.',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;
