import { type Neighbour, neighboursOn } from '../../config/newcomer.js';
import { type EngineAddress, type EngineEnvironment, findEngineAddress } from './engine-address.js';
import { localGpus } from './local-gpus.js';
import { type EngineFacts, lookAtEngine } from './look-at-engine.js';

/** What there is on a host before an environment is made for it. */
export interface Survey {
  readonly engine: EngineAddress;
  readonly found: EngineFacts | { readonly unreachable: string };
  /** GPUs by model or device name. */
  readonly gpus: readonly string[];
  /** Environments of the project on the same host. */
  readonly neighbours: readonly Neighbour[];
}

export interface SurveyOptions {
  /** Folder of the project. */
  readonly cwd: string;
  readonly env: EngineEnvironment;
  readonly signal: AbortSignal;
  /** Address of the engine. @default - where the `docker` command looks */
  readonly host?: string | undefined;
}

/** Look at the host: its engine, its GPUs, and the environments that are meant for it already. */
export async function survey({ cwd, env, signal, host }: SurveyOptions): Promise<Survey> {
  const engine = host === undefined ? findEngineAddress(env) : { address: host, origin: '--host' };
  const neighbours = neighboursOn(engine.address, { cwd });
  const [found, seen] = await Promise.all([
    lookAtEngine(engine.address, { certPath: env.DOCKER_CERT_PATH, signal }),
    // The cards of this machine are of no use to an engine of another one.
    isLocal(engine.address) ? localGpus({ env, signal }) : [],
  ]);
  const devices = 'unreachable' in found ? [] : found.gpuDevices;
  return { engine, found, gpus: seen.length > 0 ? seen : devices, neighbours };
}

/** Whether an engine runs on this machine. */
export const isLocal = (address: string): boolean => address.startsWith('unix:');
