import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ContainerInspectInfo } from 'dockerode';

/** One line of /proc/PID/mounts. */
export interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** A process as the kernel has it, whatever its container's image has in it. The engine has to be of this machine. */
export class ProcessView {
  constructor(readonly pid: number) {}

  /** A line of /proc/PID/status: `CapEff`, `NoNewPrivs`, `Uid`. */
  status(name: string): string {
    return this.#read('status').match(new RegExp(`^${name}:\\s*(.*)$`, 'm'))?.[1] ?? '';
  }

  /** Soft and hard limit as /proc/PID/limits shows them. @param name `Max open files` */
  limit(name: string): readonly [soft: string, hard: string] {
    const [, soft = '', hard = ''] = this.#read('limits').match(new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm')) ?? [];
    return [soft, hard];
  }

  get name(): string {
    return this.#read('comm').trim();
  }

  /** Later mounts lie over earlier ones of the same path. */
  get mounts(): ReadonlyMap<string, Mount> {
    const lines = this.#read('mounts').trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [, path = '', type = '', options = ''] = line.split(' ');
        return [path, { path, type, options: options.split(',') }] as const;
      }),
    );
  }

  /** Where a path of the container is for a process of the host; what is mounted there stays as it is. */
  inside(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  namespace(kind: 'net' | 'pid' | 'ipc' | 'uts' | 'mnt'): string {
    return readlinkSync(`/proc/${this.pid}/ns/${kind}`);
  }

  /** Limits of memory, and of memory and swap together, in bytes. */
  get memory(): { readonly limit: number; readonly withSwap: number } {
    const groups = this.#read('cgroup').trim().split('\n');
    const old = groups.find((line) => line.split(':')[1] === 'memory')?.split(':')[2];
    if (old !== undefined) {
      const value = (file: string) => Number(readFileSync(`/sys/fs/cgroup/memory${old}/${file}`, 'utf8'));
      return { limit: value('memory.limit_in_bytes'), withSwap: value('memory.memsw.limit_in_bytes') };
    }
    const unified = groups.find((line) => line.startsWith('0::'))?.slice(3) ?? '';
    const value = (file: string) => Number(readFileSync(`/sys/fs/cgroup${unified}/${file}`, 'utf8'));
    return { limit: value('memory.max'), withSwap: value('memory.max') + value('memory.swap.max') };
  }

  /** Addresses of IPv6 on anything but the loopback. */
  get addressesOfIpv6(): readonly string[] {
    const lines = this.#read('net/if_inet6').trim().split('\n');
    return lines.filter((line) => line !== '' && !line.endsWith(' lo'));
  }

  /** Ports of TCP on which something of its network namespace listens for more than the loopback. */
  get listening(): readonly number[] {
    const lines = ['net/tcp', 'net/tcp6'].flatMap((file) => this.#read(file).trim().split('\n').slice(1));
    const ports = lines.flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      const loopback = /7F$/.test(address) || /^0{24}01000000$/.test(address);
      return state === '0A' && !loopback ? [Number.parseInt(port, 16)] : [];
    });
    return [...new Set(ports)].sort((a, b) => a - b);
  }

  #read(file: string): string {
    return readFileSync(`/proc/${this.pid}/${file}`, 'utf8');
  }
}

/** Every process of a running container: the first one, and what descends from it. */
export function processesOf({ State: { Pid } }: ContainerInspectInfo): readonly ProcessView[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended in the meantime.
    }
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(Pid).map((pid) => new ProcessView(pid));
}
