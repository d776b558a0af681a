import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The Python that has a stand-in's requirements. Its environment is made once per content of requirements.txt, in
 * `RAGDOCK_CACHE` (default `/var/cache/ragdock`); afterwards no network is needed.
 */
export async function python(standIn: 'qdrant' | 'grafana' | 'vllm' = 'qdrant'): Promise<string> {
  const requirements = fileURLToPath(new URL(`../../${standIn}/requirements.txt`, import.meta.url));
  const cache = process.env.RAGDOCK_CACHE ?? '/var/cache/ragdock';
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const home = join(cache, `venv-${standIn}-${hash}`);
  if (!existsSync(home)) {
    await make(home, requirements);
  }
  return join(home, 'bin', 'python');
}

/** Made under another name, so that an interrupted attempt is not taken for a whole environment. */
async function make(home: string, requirements: string): Promise<void> {
  const attempt = `${home}.${process.pid}`;
  await mkdir(home.slice(0, home.lastIndexOf('/')), { recursive: true });
  await run('python3', ['-m', 'venv', '--copies', attempt]);
  // Run through the environment's own interpreter: the scripts in bin/ name the folder they were made in.
  await run(join(attempt, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  try {
    await rename(attempt, home);
  } catch (error) {
    await rm(attempt, { recursive: true });
    if (!existsSync(home)) {
      throw error;
    }
  }
}
