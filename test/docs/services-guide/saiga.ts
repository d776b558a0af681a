import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Environment } from '../../../config/environment.js';
import { loadEnvironment } from '../../../config/load.js';
import { planLock } from '../../../config/lock.js';
import { EnvironmentSchema, type Settings } from '../../../config/schema.js';
import { promisesOf } from '../../../stacks/promises.js';
import { ROOT, synthesiseEnvironment, type Yaml } from '../../support/environments.js';
import type { Resource, Synthesised } from '../../support/synth.js';

const FILE = 'config/environments/saiga.yaml';

/** One fact: what the third cell has to quote if the fact holds, in this order. Throws when it does not hold. */
export type Check = (saiga: Saiga, quoted: readonly string[]) => readonly string[] | Promise<readonly string[]>;

/** The checks of one table, by the first quotation of their row. */
export type Checks = Readonly<Record<string, Check>>;

/** What config/environments/saiga.yaml becomes, to be asked for single values. */
export class Saiga {
  readonly #stack: Synthesised;
  readonly #yaml: Resource;

  constructor(
    readonly environment: Environment = loadEnvironment('saiga', { cwd: ROOT }),
    yaml: Yaml = readYaml(),
  ) {
    this.#stack = synthesiseEnvironment(environment);
    this.#yaml = yaml.services as Resource;
  }

  /** The same environment with other settings, and a lock that promises what they need. */
  with(change: (yaml: Yaml) => void): Saiga {
    const { name, file, lock } = this.environment;
    const yaml = readYaml();
    change(yaml);
    const settings: Settings = EnvironmentSchema.parse(yaml);
    const promises = promisesOf(settings, name);
    return new Saiga({ name, file, settings, lock: planLock({ name, file, settings, lock }, promises) }, yaml);
  }

  /** A setting below `services` as the file says it, `qdrant.container: qdrant_new`; a default is not said. */
  said(path: string): string {
    const value = path.split('.').reduce<Resource | undefined>((at, key) => at?.[key], this.#yaml);
    if (value === undefined) throw new Error(`${FILE} does not say services.${path}`);
    return `${path}: ${String(value)}`;
  }

  container(id: string): Resource {
    return this.#stack.container(id);
  }

  get containers(): readonly Resource[] {
    return Object.values(this.#stack.containers);
  }

  /** Name and tag of a container's image. */
  image(id: string): string {
    const reference: string = this.container(id).image;
    return this.#stack.images[/^\$\{docker_image\.(.+)\.image_id\}$/.exec(reference)?.[1] ?? '']?.name ?? reference;
  }

  /** Where the Docker host listens for a port of a container. */
  published(id: string, internal: number): string {
    const port = this.container(id).ports?.find((it: Resource) => it.internal === internal);
    if (!port) throw new Error(`${id} does not publish ${internal}`);
    return `${port.ip}:${port.external}`;
  }

  /** A variable with its value, as the container gets it. */
  variable(id: string, name: string): string {
    const found = this.container(id).env.find((it: string) => it.startsWith(`${name}=`));
    if (!found) throw new Error(`${id} has no variable ${name}`);
    return found;
  }

  hasVariable(id: string, name: string): boolean {
    return this.container(id).env.some((it: string) => it.startsWith(`${name}=`));
  }

  /** A flag of the command with its value. */
  flag(id: string, name: string): string {
    const found = this.container(id).command.find((it: string) => it === name || it.startsWith(`${name}=`));
    if (!found) throw new Error(`${id} is not started with ${name}`);
    return found;
  }

  /** Volume and folder of a mount: `qdrant_storage_new:/qdrant/storage`. */
  mount(id: string, target: string): string {
    const found = this.container(id).mounts.find((it: Resource) => it.target === target);
    if (!found) throw new Error(`${id} mounts nothing at ${target}`);
    return `${found.source}:${target}`;
  }

  /** Every folder at which something is mounted. */
  targets(id: string): readonly string[] {
    return this.container(id).mounts.map(({ target }: Resource) => target);
  }

  /** The text of a file that a service is given, by the end of its path. */
  file(id: string, path: string): string {
    const [, text] = Object.entries(this.#stack.files(`${id}_files`)).find(([file]) => file.endsWith(path)) ?? [];
    if (text === undefined) throw new Error(`${id} is given no file ${path}`);
    return text;
  }

  /** Names of the files that a service is given. */
  files(id: string): readonly string[] {
    return Object.keys(this.#stack.files(`${id}_files`));
  }

  json(id: string, path = '/settings.json'): Resource {
    return JSON.parse(this.file(id, path));
  }
}

const readYaml = (): Yaml => parse(readFileSync(join(ROOT, FILE), 'utf8')) as Yaml;
