import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../host/sops', import.meta.url));

/** sops and age-keygen come first on the PATH of every test. */
export default function setup(): void {
  const folder = execFileSync(SCRIPT, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
}
