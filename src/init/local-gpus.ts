import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the driver of NVIDIA lists its cards on Linux, one folder for each. */
const DRIVER_FOLDER = '/proc/driver/nvidia/gpus';

/** A driver that hangs is no reason to wait. */
const PATIENCE_MS = 10_000;

export interface LocalGpuOptions {
  /** Variables for `nvidia-smi`; its PATH is searched. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** @default /proc/driver/nvidia/gpus */
  readonly driverFolder?: string;
}

/** The GPUs of this machine by their model, as the driver lists them or, where it does not, as nvidia-smi does. */
export async function localGpus({ driverFolder = DRIVER_FOLDER, ...options }: LocalGpuOptions): Promise<string[]> {
  const listed = ofDriver(driverFolder);
  return listed.length > 0 ? listed : await ofNvidiaSmi(options);
}

function ofDriver(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((card) => join(folder, card, 'information'))
    .filter((file) => existsSync(file))
    .map((file) => /^Model:\s*(.*\S)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 'a GPU of NVIDIA');
}

/** No such program, no driver, no card: each of them is the answer that there is none. */
function ofNvidiaSmi({ env, signal }: Omit<LocalGpuOptions, 'driverFolder'>): Promise<string[]> {
  const query = ['--query-gpu=name', '--format=csv,noheader'];
  return new Promise((resolve) => {
    execFile('nvidia-smi', query, { env, signal, timeout: PATIENCE_MS }, (error, stdout) => {
      resolve(error ? [] : stdout.split('\n').flatMap((line) => line.trim() || []));
    });
  });
}
