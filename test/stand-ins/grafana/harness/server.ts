import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../process.js';
import { python } from '../../qdrant/harness/venv.js';

const HOME = fileURLToPath(new URL('..', import.meta.url));
const RUN = join(HOME, 'run.sh');

/** Files of a container by absolute path, put under `folder` instead of `/`. */
export function putFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    // Paths that the files name are under the folder, too.
    writeFileSync(target, content.replaceAll('/etc/grafana', join(folder, 'etc/grafana')));
  }
}

/** The stand-in as a process of its own, started as its image starts it, with its files below `folder`. */
export class GrafanaProcess {
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;

  private constructor(
    readonly url: string,
    readonly child: ChildProcess,
  ) {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => {
        output += data.toString();
      });
    this.ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
  }

  static async start(folder: string, env: Readonly<Record<string, string>> = {}): Promise<GrafanaProcess> {
    const port = await freePort();
    mkdirSync(join(folder, 'data'), { recursive: true });
    const child = spawn(RUN, [], {
      cwd: HOME,
      env: {
        PATH: `${dirname(await python('grafana'))}:${process.env.PATH}`,
        PYTHONDONTWRITEBYTECODE: '1',
        GF_SERVER_HTTP_PORT: String(port),
        GF_PATHS_DATA: join(folder, 'data'),
        GF_PATHS_PROVISIONING: join(folder, 'etc/grafana/provisioning'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new GrafanaProcess(`http://127.0.0.1:${port}`, child);
  }

  /** Waits until it answers; fails with what it wrote when it ended instead. */
  async ready(): Promise<this> {
    let end: { output: string } | undefined;
    void this.ended.then((outcome) => {
      end = outcome;
    });
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
      if (end) throw new Error(`the stand-in ended: ${end.output}`);
      const answer = await fetch(`${this.url}/api/health`).catch(() => undefined);
      if (answer?.ok) return this;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the stand-in did not become ready');
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return (await this.ended).code;
  }
}
