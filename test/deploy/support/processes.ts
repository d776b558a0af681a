import { readFileSync, statSync } from 'node:fs';
import type { EngineView } from './engine.js';

/** A process of a container, as root of the host sees it. */
export interface ContainerProcess {
  readonly container: string;
  readonly pid: number;
  readonly cmdline: string;
  /** `NAME=value` each. */
  readonly environ: readonly string[];
  /** Who may read the variables, beside root: the user that the process runs as. */
  readonly environMode: string;
}

/** Every process of a running container; of one that has ended there is none. */
export async function processesOf({ docker }: EngineView, container: string): Promise<readonly ContainerProcess[]> {
  const top = await docker
    .getContainer(container)
    .top({ ps_args: '-eo pid' })
    .catch(() => ({ Processes: [] }));
  return (top.Processes as string[][]).flatMap(([pid = '']) => {
    try {
      return [
        {
          container,
          pid: Number(pid),
          cmdline: readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '),
          environ: readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').filter(Boolean),
          environMode: (statSync(`/proc/${pid}/environ`).mode & 0o777).toString(8),
        },
      ];
    } catch {
      return []; // ended in the meantime
    }
  });
}

/** Whether a process has a handler of its own for a signal. As process 1 of a container it ignores all others. */
export function catches(pid: number, signal: number): boolean {
  const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return (BigInt(`0x${mask}`) >> BigInt(signal - 1)) % 2n === 1n;
}
