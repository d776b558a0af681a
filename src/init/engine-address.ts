import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { engineAddress } from '../../config/fields.js';

/** The variables of the process that say where the engine is, and where Docker's own settings are. */
export type EngineEnvironment = Readonly<Record<string, string | undefined>>;

/** The Docker engine that this user's `docker` command talks to. */
export interface EngineAddress {
  readonly address: string;
  /** Who says so: `DOCKER_HOST`, or `the Docker context NAME`. @default - nobody does; it is the usual place */
  readonly origin?: string;
  /** Why what somebody said could not be used. */
  readonly doubt?: string;
}

export const DEFAULT_ADDRESS = 'unix:///var/run/docker.sock';

/** Looks in the places where the `docker` command looks, in its order: DOCKER_HOST, the context, the usual socket. */
export function findEngineAddress(env: EngineEnvironment): EngineAddress {
  if (env.DOCKER_HOST) return usable(env.DOCKER_HOST, 'DOCKER_HOST');
  const folder = env.DOCKER_CONFIG || join(env.HOME || env.USERPROFILE || '/nonexistent', '.docker');
  const context = env.DOCKER_CONTEXT || Config.parse(readJson(join(folder, 'config.json'))).currentContext;
  if (!context || context === 'default') return { address: DEFAULT_ADDRESS };
  const origin = `the Docker context ${context}`;
  const id = createHash('sha256').update(context).digest('hex');
  const address = Meta.parse(readJson(join(folder, 'contexts/meta', id, 'meta.json'))).Endpoints.docker.Host;
  return address ? usable(address, origin) : { address: DEFAULT_ADDRESS, doubt: `${origin} names no engine` };
}

function usable(address: string, origin: string): EngineAddress {
  if (engineAddress.safeParse(address).success) return { address, origin };
  const doubt = `${origin} says ${JSON.stringify(address)}, and ragdock knows unix://, ssh:// and tcp:// alone`;
  return { address: DEFAULT_ADDRESS, doubt };
}

// Docker's files may hold anything; what is not there, or is something else, says nothing.
const Config = z.object({ currentContext: z.string().optional().catch(undefined) }).catch({});
const Meta = z
  .object({ Endpoints: z.object({ docker: z.object({ Host: z.string().optional() }) }) })
  .catch({ Endpoints: { docker: {} } });

function readJson(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
