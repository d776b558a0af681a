import { Construct, type IConstruct } from 'constructs';
import type { ConfigFile } from './config-file.js';
import { Endpoint, type EndpointProps } from './endpoint.js';
import { modelError } from './errors.js';
import { ExternalServer } from './external-server.js';
import type { Gpus } from './gpus.js';
import { HARDENED, type Hardening, type Relaxation } from './hardening.js';
import type { SecretRef } from './secret.js';
import { secretPath, secretsOf, url, type Value } from './value.js';
import type { DataVolume, HostMount, TmpfsMount, User } from './volume.js';

/** An image by reference with its tag, or the image of the bundled apps, which the engine builds. */
export type ImageSource = { readonly reference: string } | 'bundled-apps';

/** What a container is: a service or a job. */
export interface WorkloadProps {
  /** What it runs. */
  readonly image: ImageSource;
  /** Numeric user that the process runs as; uid 0 needs `relax.root`. */
  readonly user: User;
  /** Memory limit in MiB; no swap on top of it. */
  readonly memoryMiB: number;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Replaces the image's entrypoint. @default - the image's */
  readonly entrypoint?: readonly Value[] | undefined;
  /** Replaces the image's command. @default - the image's */
  readonly command?: readonly Value[] | undefined;
  /** Variables that are not secrets. @default - those of the image alone */
  readonly environment?: Readonly<Record<string, Value>>;
  /** Folders that can be written to and are empty after a restart. @default - none */
  readonly tmpfs?: readonly TmpfsMount[];
  /** Shared memory (/dev/shm) in MiB. @default 64 */
  readonly shmSizeMiB?: number;
  /** Limit of open files, soft and hard. @default 16384 */
  readonly openFiles?: number;
  /** Graphics cards that it may use. @default - none */
  readonly gpus?: Gpus | undefined;
  /** What this workload is allowed beyond `HARDENED`, and why. @default - nothing */
  readonly relax?: Relaxation | undefined;
  /** A way out to other machines, and why. @default - none */
  readonly egress?: { readonly reason: string };
}

/** How a client wants to be told about an endpoint. */
export interface ConnectOptions {
  /** Variable that receives the URL. @default - none; the client renders the address into a file or its command */
  readonly url?: string;
  /** Variable that receives the path of the credential's file. @default - none; fails if the endpoint has a credential and `credentialElsewhere` is not set */
  readonly credential?: string;
  /** Whether the client looks for newer versions of the file by itself. @default false */
  readonly rereads?: boolean;
  /** The credential reaches the client by a file or argument that names it. @default false */
  readonly credentialElsewhere?: boolean;
  /** Path behind the URL. @default - empty */
  readonly path?: string;
  /**
   * Variable that receives the path of a file with the certificates of private authorities, in PEM; one file for all
   * servers of one variable.
   *
   * @default - none; fails if the server has such an authority and `trustElsewhere` is not set
   */
  readonly trust?: string;
  /** The certificates reach the client by a file of its own. @default false */
  readonly trustElsewhere?: boolean;
}

/** Folder of the files with certificates of private authorities. */
const TRUST_FOLDER = '/etc/ragdock-trust';

/**
 * Enough for every server here, and few enough for programs that close each number that they might have opened. An engine
 * that runs without rights of its own over limits cannot give more than it has itself.
 */
const OPEN_FILES = 16_384;

const WORKLOAD = Symbol.for('ragdock.Workload');

/** One container of the stack, described without naming an engine. Use `Service` or `Job`. */
export abstract class Workload extends Construct {
  /** Whether a construct is a workload, also one of another copy of this package. */
  static isWorkload(construct: IConstruct): construct is Workload {
    return WORKLOAD in construct;
  }

  /** What it runs. */
  readonly image: ImageSource;
  /** Numeric user that the process runs as. */
  readonly user: User;
  /** Memory limit in MiB. */
  readonly memoryMiB: number;
  /** Name of the container; undefined for <environment>-<id>. */
  readonly containerName: string | undefined;
  /** Undefined for the image's. */
  readonly entrypoint: readonly Value[] | undefined;
  /** Undefined for the image's. */
  readonly command: readonly Value[] | undefined;
  /** Folders that can be written to and are empty after a restart. */
  readonly tmpfs: readonly TmpfsMount[];
  /** Shared memory in MiB; undefined for the engine's 64. */
  readonly shmSizeMiB: number | undefined;
  /** Limit of open files, soft and hard. */
  readonly openFiles: number;
  /** Graphics cards that it may use; undefined for none. */
  readonly gpus: Gpus | undefined;
  /** What it is allowed, exceptions included. */
  readonly hardening: Hardening;
  /** Why it is allowed more than `HARDENED`; undefined when it is not. */
  readonly relaxReason: string | undefined;
  /** Its way out to other machines; undefined when it has none. */
  readonly egress: { readonly reason: string } | undefined;
  readonly #environment = new Map<string, Value>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #connections = new Set<Endpoint>();
  readonly #secrets = new Map<string, SecretRef>();
  readonly #volumes: DataVolume[] = [];
  readonly #hostMounts: HostMount[] = [];
  readonly #configFiles: ConfigFile[] = [];
  /** Authorities in PEM, by the variable that names their file. */
  readonly #trust = new Map<string, Set<string>>();
  readonly #predecessors = new Set<Workload>();

  /** @throws RagdockError MODEL_INVALID when it would run as root, or is relaxed, without a reason */
  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id);
    Object.defineProperty(this, WORKLOAD, { value: true });
    const { reason, ...exceptions } = props.relax ?? { reason: undefined };
    this.image = props.image;
    this.user = props.user;
    this.memoryMiB = props.memoryMiB;
    this.containerName = props.containerName;
    this.entrypoint = props.entrypoint;
    this.command = props.command;
    this.tmpfs = props.tmpfs ?? [];
    this.shmSizeMiB = props.shmSizeMiB;
    this.openFiles = props.openFiles ?? OPEN_FILES;
    this.gpus = props.gpus;
    this.hardening = { ...HARDENED, ...exceptions };
    this.relaxReason = reason;
    this.egress = props.egress;
    for (const [name, value] of Object.entries(props.environment ?? {})) this.setEnvironment(name, value);
    for (const value of [...(props.entrypoint ?? []), ...(props.command ?? [])]) this.#noteSecrets(value);
    if (this.user.uid === 0 && !this.hardening.root) {
      throw modelError(this, 'the process would run as root', 'give another user, or relax { root: true, reason }');
    }
    if (props.relax && props.relax.reason.trim().length < 8) {
      throw modelError(this, 'an exception from hardening has no reason', 'say in `reason` why this workload needs it');
    }
  }

  /**
   * Make a place that clients may connect to.
   *
   * @throws RagdockError MODEL_INVALID when there is an endpoint of this name
   */
  expose(name: string, props: EndpointProps): Endpoint {
    if (this.#endpoints.has(name)) {
      throw modelError(this, `the endpoint '${name}' exists already`, 'give the second endpoint a name of its own');
    }
    const endpoint = new Endpoint(this, name, props);
    this.#endpoints.set(name, endpoint);
    return endpoint;
  }

  /**
   * Let this workload reach `target`, and tell it how. The only way in which two workloads come to share a network.
   *
   * @throws RagdockError MODEL_INVALID when a credential or a private authority has nowhere to go, when there is no
   * credential, or when a variable is set already
   */
  connectTo(target: Endpoint, as: ConnectOptions = {}): void {
    if (target.owner === this) {
      throw modelError(this, 'a workload needs no connection to itself', 'remove the call');
    }
    if (target.credential && as.credential === undefined && as.credentialElsewhere !== true) {
      throw modelError(
        this,
        `the endpoint ${target.owner.node.id}.${target.name} needs the secret ${target.credential.name}, which has nowhere to go`,
        "pass { credential: 'SOME_VARIABLE_FILE' }",
      );
    }
    this.#trustIn(target, as);
    if (as.url !== undefined) this.setEnvironment(as.url, url(target, as.path));
    if (as.credential !== undefined) {
      if (!target.credential) {
        throw modelError(
          this,
          `the endpoint ${target.owner.node.id}.${target.name} has no credential to put into ${as.credential}`,
          'leave `credential` out',
        );
      }
      this.setEnvironment(as.credential, secretPath(target.credential, as.rereads ? 'rereadable' : 'current'));
    }
    this.#connections.add(target);
  }

  /**
   * Set a variable that is not a secret; secrets go by file.
   *
   * @throws RagdockError MODEL_INVALID when the variable is set already
   */
  setEnvironment(name: string, value: Value): void {
    if (this.#environment.has(name)) {
      throw modelError(this, `the variable ${name} is set already`, 'choose another name, or drop one of the two');
    }
    this.#environment.set(name, value);
    this.#noteSecrets(value);
  }

  /** Mount a secret's file although no variable names it. */
  addSecret(secret: SecretRef): void {
    this.#secrets.set(secret.name, secret);
  }

  /** Mount data that outlives everything. */
  addDataVolume(volume: DataVolume): void {
    this.#volumes.push(volume);
  }

  /** Mount a folder of the host for reading. */
  addHostMount(mount: HostMount): void {
    this.#hostMounts.push(mount);
  }

  /**
   * Give it a configuration file.
   *
   * @throws RagdockError MODEL_INVALID for a second file of one path, and for two answers to `onChange` in one folder
   */
  addConfigFile(file: ConfigFile): void {
    if (this.#configFiles.some((other) => other.path === file.path)) {
      throw modelError(this, `the file ${file.path} is given twice`, 'give one content for one path');
    }
    const folder = folderOf(file.path);
    const other = this.#configFiles.find((it) => folderOf(it.path) === folder && it.onChange !== file.onChange);
    if (other) {
      throw modelError(
        this,
        `${other.path} says onChange '${other.onChange}' and ${file.path} says '${file.onChange}', but one folder is one volume`,
        'put the two files into two folders, or let both say the same',
      );
    }
    this.#configFiles.push(file);
  }

  /** Start only after `other` was started, or has ended well if it is a job. */
  runAfter(other: Workload): void {
    this.#predecessors.add(other);
  }

  /** Its variables. A copy; change it with `setEnvironment` or `connectTo`. */
  get environment(): ReadonlyMap<string, Value> {
    return new Map(this.#environment);
  }
  /** What clients may connect to. A copy; change it with `expose`. */
  get endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()];
  }
  /** What it was connected to. A copy; change it with `connectTo`. */
  get connections(): readonly Endpoint[] {
    return [...this.#connections];
  }
  /** Secrets whose files this workload reads, sorted by name. */
  get secrets(): readonly SecretRef[] {
    return [...this.#secrets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  /** The data that it mounts. A copy; change it with `addDataVolume`. */
  get dataVolumes(): readonly DataVolume[] {
    return [...this.#volumes];
  }
  /** The folders of the host that it mounts. A copy; change it with `addHostMount`. */
  get hostMounts(): readonly HostMount[] {
    return [...this.#hostMounts];
  }
  /** Its configuration files. A copy; change it with `addConfigFile`. */
  get configFiles(): readonly ConfigFile[] {
    return [...this.#configFiles];
  }
  /** What has to be started, or to have ended well, before it. A copy; change it with `runAfter`. */
  get predecessors(): readonly Workload[] {
    return [...this.#predecessors];
  }

  /** Variables that name files with certificates of private authorities, with the path of each file. */
  get trustFiles(): ReadonlyMap<string, string> {
    return new Map([...this.#trust.keys()].map((variable) => [variable, trustFile(variable)]));
  }

  #trustIn({ owner, name }: Endpoint, { trust: variable, trustElsewhere }: ConnectOptions): void {
    if (!ExternalServer.isExternalServer(owner) || owner.certificateAuthority === undefined) return;
    if (variable === undefined) {
      if (trustElsewhere) return;
      throw modelError(
        this,
        `the endpoint ${owner.node.id}.${name} has a certificate of a private authority, which has nowhere to go`,
        "pass { trust: 'SOME_VARIABLE' }",
      );
    }
    const known = this.#trust.get(variable);
    const authorities = known ?? new Set();
    authorities.add(owner.certificateAuthority);
    if (known) return;
    this.#trust.set(variable, authorities);
    const path = trustFile(variable);
    this.setEnvironment(variable, path);
    this.addConfigFile({ path, content: () => [...authorities].sort().join(''), onChange: 'replace' });
  }

  #noteSecrets(value: Value): void {
    for (const secret of secretsOf(value)) this.#secrets.set(secret.name, secret);
  }
}

const trustFile = (variable: string): string => `${TRUST_FOLDER}/${variable.toLowerCase()}.pem`;

/** The folder of an absolute path. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
