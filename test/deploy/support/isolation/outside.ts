import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { run, succeed } from '../project.js';
import type { Origin, Target } from './probe.js';

const SERVER = fileURLToPath(new URL('outside-server.mjs', import.meta.url));

/** The host's end of the cable, and the other one; a range that is for documentation. */
const HOST = '198.51.100.1';
const OTHER = '198.51.100.2';

/** Where clouds tell a machine who it is, and with which keys. */
const METADATA = '169.254.169.254';

const LINK = 'ragdock-out';

/** Another machine, as a network namespace at the end of a cable from this host: it answers, and can be started from. */
export class Outside {
  readonly #namespace = `ragdock-outside-${process.pid}`;
  #server: ChildProcess | undefined;

  /** The host's address on the cable: one that is on none of the stack's networks. */
  readonly host = HOST;

  /** What a container with a way out reaches. */
  readonly targets: readonly Target[] = [
    { id: 'a server outside', host: OTHER, port: 8099 },
    { id: 'the metadata of a cloud', host: METADATA, port: 8099 },
    { id: 'a name server outside', kind: 'dns', host: OTHER, port: 53, name: 'outside.example' },
  ];

  get origin(): Origin {
    return { namespace: this.#namespace };
  }

  async start(): Promise<void> {
    const inside = ['netns', 'exec', this.#namespace, 'ip'];
    await run('ip', ['link', 'delete', LINK]);
    await this.#ip('netns', 'add', this.#namespace);
    await this.#ip('link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#namespace);
    await this.#ip('address', 'add', `${HOST}/30`, 'dev', LINK);
    await this.#ip('link', 'set', LINK, 'up');
    await this.#ip(...inside, 'address', 'add', `${OTHER}/30`, 'dev', 'eth0');
    await this.#ip(...inside, 'address', 'add', `${METADATA}/32`, 'dev', 'lo');
    for (const device of ['lo', 'eth0']) await this.#ip(...inside, 'link', 'set', device, 'up');
    await this.#ip('route', 'replace', `${METADATA}/32`, 'via', OTHER);
    this.#server = spawn('ip', ['netns', 'exec', this.#namespace, process.execPath, SERVER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (this.#server.stdout) await once(this.#server.stdout, 'data');
  }

  /** Let it send to a range through this host, as a machine of the same segment may decide by itself. */
  knowTheWayTo(range: string): Promise<void> {
    return this.#ip('netns', 'exec', this.#namespace, 'ip', 'route', 'replace', range, 'via', HOST);
  }

  async stop(): Promise<void> {
    this.#server?.kill('SIGKILL');
    // The cable goes with the namespace, and the routes with the cable.
    await run('ip', ['netns', 'delete', this.#namespace]);
    await run('ip', ['link', 'delete', LINK]);
  }

  async #ip(...args: readonly string[]): Promise<void> {
    await succeed('ip', args);
  }
}
