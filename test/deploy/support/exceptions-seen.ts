import type Docker from 'dockerode';
import type { ContainerInspectInfo, NetworkInspectInfo } from 'dockerode';

/** Capabilities in the order of their bits. */
const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'];
const SYS_ADMIN = 21;

/** The hexadecimal mask of some capabilities, as /proc/PID/status has it. */
export function capabilityMask(names: readonly string[]): string {
  const bits = names.map((name) => (name === 'SYS_ADMIN' ? SYS_ADMIN : CAPABILITIES.indexOf(name)));
  if (bits.includes(-1)) throw new Error(`this test does not know the bit of one of ${names.join(', ')}`);
  return bits
    .reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, '0');
}

/** What the engine says that a container is allowed and others are not, in the words of the model's table. */
export async function exceptionsSeen(docker: Docker, container: ContainerInspectInfo): Promise<ReadonlySet<string>> {
  const { HostConfig: host, Config: config } = container;
  const security: readonly string[] = host.SecurityOpt ?? [];
  const binds = [
    ...(host.Mounts ?? []).filter(({ Type }) => Type === 'bind').map(({ Source }) => Source),
    ...(host.Binds ?? []).map((bind) => bind.split(':')[0] ?? bind),
  ];
  const added = (host.CapAdd ?? []).map((name: string) => name.replace(/^CAP_/, ''));
  const ports = Object.values((host.PortBindings ?? {}) as Record<string, { HostIp: string; HostPort: string }[]>);
  return new Set([
    ...flag('privileged', host.Privileged === true),
    ...flag('uid 0', /^(0|root)?(:|$)/.test(config.User)),
    ...flag('writable root', host.ReadonlyRootfs !== true),
    ...flag('new privileges', !security.some((option) => /^no-new-privileges(:true)?$/.test(option))),
    ...flag('capabilities kept', !(host.CapDrop ?? []).includes('ALL')),
    ...added.map((name: string) => `capability ${name}`),
    ...flag('host network', host.NetworkMode === 'host'),
    ...flag('default bridge', ['default', 'bridge', ''].includes(host.NetworkMode ?? '') && onDefaultBridge(container)),
    ...flag('host processes', host.PidMode === 'host'),
    ...flag('host shared memory', host.IpcMode === 'host'),
    ...flag('host names', (host as { UTSMode?: string }).UTSMode === 'host'),
    ...flag('host users', host.UsernsMode === 'host'),
    ...flag(
      'unconfined',
      security.some((option) => /(seccomp|apparmor)[=:]unconfined/.test(option)),
    ),
    ...flag('shared mounts', JSON.stringify(host.Mounts ?? []).includes('"Propagation":"rshared"')),
    ...binds.map((source) => `host folder ${source}`),
    ...flag('devices', (host.Devices ?? []).length > 0),
    ...flag('graphics cards', host.Runtime === 'nvidia' || (host.DeviceRequests ?? []).length > 0),
    ...flag('way out', (await networksOf(docker, container)).some(leadsOut)),
    ...ports
      .flatMap((bindings) => bindings ?? [])
      .filter(({ HostIp }) => HostIp !== '127.0.0.1')
      .map(({ HostIp, HostPort }) => `port ${HostIp}:${HostPort}`),
  ]);
}

const flag = (what: string, seen: boolean): readonly string[] => (seen ? [what] : []);

const onDefaultBridge = ({ NetworkSettings: { Networks } }: ContainerInspectInfo): boolean =>
  Networks.bridge !== undefined;

function networksOf(docker: Docker, container: ContainerInspectInfo): Promise<NetworkInspectInfo[]> {
  const names = Object.keys(container.NetworkSettings.Networks).filter((name) => name !== 'none' && name !== 'host');
  return Promise.all(names.map((name) => docker.getNetwork(name).inspect()));
}

/** A closed network has no way out, and one without masquerading no way back. */
const leadsOut = ({ Internal, Options }: NetworkInspectInfo): boolean =>
  Internal !== true && Options?.['com.docker.network.bridge.enable_ip_masquerade'] !== 'false';
