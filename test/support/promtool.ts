import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { IMAGES } from '../../constructs/images.js';
import { type Ended, run } from './run.js';

/** Built by the test host, or of the system. */
const CACHE = process.env.RAGDOCK_CACHE ?? '/var/cache/ragdock';
const PROMTOOL = [
  join(CACHE, 'prometheus', IMAGES.prometheus.replace(/^.*:/, ''), 'promtool'),
  ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'promtool')),
].find((file) => existsSync(file));

/** A check of a pull request has to have it, and fails without; a developer may go without. */
export const HAS_PROMTOOL = PROMTOOL !== undefined || process.env.CI !== undefined;

export function promtool(...args: readonly string[]): Promise<Ended> {
  return run([PROMTOOL ?? 'promtool', ...args], { timeoutSeconds: 60 });
}
