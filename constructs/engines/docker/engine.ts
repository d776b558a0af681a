import { Container, type ContainerMounts } from '@cdktf/provider-docker/lib/container/index.js';
import { Image } from '@cdktf/provider-docker/lib/image/index.js';
import { Network } from '@cdktf/provider-docker/lib/network/index.js';
import { DockerProvider } from '@cdktf/provider-docker/lib/provider/index.js';
import { Volume } from '@cdktf/provider-docker/lib/volume/index.js';
import type { EnginePromises } from '../../../config/lock-schema.js';
import { CARRIER_FILE } from '../../../src/apps/dockerfile.js';
import { Job, leadsOut, Service, Workload } from '../../model/index.js';
import { type TerraformElement, type TerraformStack, TerraformVariable } from '../../tf.js';
import { containerConfig } from './container.js';
import { tfEscape } from './escape.js';
import { type FilesVolume, filesVolumes } from './files.js';
import { deviceRequests, refuseGpusTwice } from './gpus.js';
import { imageReference } from './image-reference.js';
import { outputUrls, outputVersions } from './outputs.js';
import { patched } from './override.js';
import { refuseCycle, refuseUnsupported } from './refusals.js';
import { withSpecLabel } from './spec-label.js';
import { type DockerNetwork, Topology } from './topology.js';

/** The bindings of 12.0.3 ask for 3.6.2; what is emitted is valid for both, and 4 repairs a dozen faults of 3. */
export const PROVIDER_VERSION = '4.6.0';

/** Where docker's own command line looks for an engine that nobody has named. */
const USUAL_HOST = 'unix:///var/run/docker.sock';

/** The image of the files containers; the number changes with its Dockerfile. */
const CARRIER = 'files-carrier';
const CARRIER_IMAGE = 'ragdock-files-carrier:1';

/** Configuration belongs to root and is readable to all; a secret to its reader alone. */
const CARRIED_MODE = { config: '0444', secret: '0400' } as const;

/** Where a files container mounts the volumes it fills: a folder that no image has. */
const CARRIER_ROOT = '/ragdock';

/** What the engine has to know beside the model. */
export interface DockerEngineProps {
  /** What names on the engine start with. */
  readonly environment: string;
  /** Subnets, versions of secrets and digests. */
  readonly lock: EnginePromises;
  /** Address of the engine: unix://, ssh:// or tcp://. */
  readonly host: string;
  /** The bundled apps: their build context as seen from the stack's output folder, and its hash (12 hexadecimal digits). */
  readonly bundle: { readonly context: string; readonly hash: string };
  /** Folder of the environment's secrets as seen from the stack's output folder; files are NAME.vN. */
  readonly secretsFolder: string;
  /** What to run where a value is missing. @default npx ragdock secrets init ENVIRONMENT */
  readonly secretsCommand?: string;
}

/** Turn every workload below `stack` into resources of the Docker provider. Call once, after the last `connectTo`. */
export function lowerToDocker(stack: TerraformStack, props: DockerEngineProps): void {
  new DockerEngine(stack, new Topology(stack, props.environment, props.lock), props).lower();
}

class DockerEngine {
  readonly #images = new Map<string, Image>();
  readonly #networks = new Map<string, Network>();
  readonly #containers = new Map<Workload, Container>();
  readonly #carriers = new Map<Workload, Container>();
  /** Workloads that wait for the containers that have to be there before theirs. */
  readonly #waiting: Workload[] = [];
  readonly #planWithoutSecrets: TerraformVariable;

  constructor(
    readonly stack: TerraformStack,
    readonly topology: Topology,
    readonly props: DockerEngineProps,
  ) {
    new DockerProvider(stack, 'docker', { host: tfEscape(props.host) });
    stack.addOverride('terraform.required_providers.docker.version', PROVIDER_VERSION);
    this.#planWithoutSecrets = new TerraformVariable(stack, 'plan_without_secrets', {
      type: 'bool',
      default: false,
      description: 'Plan or destroy on a machine that does not hold the secrets',
    });
  }

  lower(): void {
    for (const network of this.topology.networks) this.#networks.set(network.id, this.#network(network));
    for (const workload of this.topology.workloads) this.#container(workload);
    this.#outputVersions();
  }

  #network({ id, name, kind, subnet, gateway, members }: DockerNetwork): Network {
    const hosted = members.some((member) => member.hardening.hostNetwork);
    const options = {
      // Closed networks hide the host as well, on engines that know the option; the others ignore it. The exception is
      // a network whose server listens on the host.
      pair: hosted ? undefined : { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' },
      // A published port has to be reachable from the host, but needs no way out.
      // Whose server also has a way out may find it here: the engine chooses one of its open networks for all that leaves.
      published: members.some((member) => leadsOut(member))
        ? undefined
        : { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
      external: undefined,
      egress: undefined,
    }[kind];
    const network = new Network(this.stack, `network-${id}`, {
      name,
      driver: 'bridge',
      internal: kind === 'pair',
      ipamConfig: [{ subnet, gateway }],
      ...(options ? { options } : {}),
    });
    return identified(network, id);
  }

  #container(workload: Workload): Container {
    const known = this.#containers.get(workload);
    if (known) return known;
    refuseUnsupported(workload, this.topology);
    refuseCycle([...this.#waiting, workload]);
    this.#waiting.push(workload);
    const id = workload.node.id;
    const image = this.#image(workload);
    const files = filesVolumes(workload, this.topology);
    const volumes = files.map((volume) => this.#volume(id, volume));
    const carrier = files.length > 0 ? this.#filesContainer(workload, files, volumes) : undefined;
    const servers = workload.connections.map((endpoint) => endpoint.owner).filter(Workload.isWorkload);
    const predecessors = new Set([...servers, ...workload.predecessors]);
    const config = containerConfig(workload, this.topology, {
      image: image.imageId,
      networks: this.topology.networksOf(workload).map((network) => ({ name: this.#networkOf(network.id).id })),
      volumes: [
        ...workload.dataVolumes.map(
          (volume): ContainerMounts => ({
            type: 'volume',
            source: tfEscape(this.topology.volumeName(volume)),
            target: tfEscape(volume.path),
            readOnly: volume.readOnly ?? false,
          }),
        ),
        ...files.map(
          ({ mountPath, name }): ContainerMounts => ({
            type: 'volume',
            source: tfEscape(name),
            target: tfEscape(mountPath),
            readOnly: true,
          }),
        ),
      ],
      dependsOn: [
        ...[...predecessors].map((other) => this.#container(other)),
        ...(carrier ? [carrier] : []),
        // On the host's network a service listens on an address that the network brings.
        ...(workload.hardening.hostNetwork
          ? this.topology.networksTo(workload).map((network) => this.#networkOf(network.id))
          : []),
      ],
    });
    // After the patches: what they set has to reach the container as well.
    const final = patched(workload, config);
    refuseGpusTwice(workload, final);
    const spec = withSpecLabel(workload, final, this.#inputs(workload));
    const container = identified(new Container(this.stack, `container-${id}`, spec), id);
    // The bindings do not know the block; the pinned provider does.
    const requests = deviceRequests(workload);
    if (requests) container.addOverride('device_requests', requests);
    this.#containers.set(workload, container);
    this.#waiting.pop();
    if (Job.isJob(workload)) this.#expectSuccess(container, this.topology.containerName(workload));
    if (Service.isService(workload)) outputUrls(this.stack, workload);
    return container;
  }

  /** A job runs again for a new version of a secret, even where the path that it reads does not name the version. */
  #inputs(workload: Workload): readonly string[] {
    if (!Job.isJob(workload)) return [];
    return workload.secrets.map((secret) => `${secret.name}.v${this.topology.secretVersion(secret)}`);
  }

  /** One image resource for each reference; the container names the image's id, so that a new image replaces it. */
  #image(workload: Workload): Image {
    const key = workload.image === 'bundled-apps' ? 'bundled-apps' : workload.image.reference;
    const known = this.#images.get(key);
    if (known) return known;
    // Of the whole reference: an id that depends on which other images there are would change with them.
    const id = imageId(key);
    const digest = this.props.lock.images[key];
    const image = new Image(this.stack, `image-${id}`, {
      ...(key === 'bundled-apps'
        ? {
            name: imageReference(workload, this.props.bundle.hash),
            buildAttribute: { context: tfEscape(this.props.bundle.context) },
            triggers: { bundle: this.props.bundle.hash },
          }
        : { name: digest === undefined || key.includes('@') ? key : `${key}@${digest}` }),
      // Another environment of this host may run on it, and a pull is the slowest part of a deploy.
      keepLocally: true,
      timeouts: { create: '60m' },
      lifecycle: { createBeforeDestroy: true },
    });
    if (key === 'bundled-apps') this.#buildOnHost(image);
    this.#images.set(key, identified(image, id));
    return image;
  }

  /** The image of all files containers: the engine gives carried files to the user of the image, and this one has none. */
  #carrier(): Image {
    const known = this.#images.get(CARRIER);
    if (known) return known;
    const image = new Image(this.stack, `image-${CARRIER}`, {
      name: CARRIER_IMAGE,
      buildAttribute: { context: tfEscape(this.props.bundle.context), dockerfile: CARRIER_FILE },
      keepLocally: true,
      lifecycle: { createBeforeDestroy: true },
    });
    this.#buildOnHost(image);
    this.#images.set(CARRIER, identified(image, CARRIER));
    return image;
  }

  /**
   * By default the provider builds where docker's command line on this machine would, whatever its own `host` says. With
   * this it builds over its own connection, with BuildKit as well. The bindings do not know the attribute, which the
   * provider has since 4.0.
   */
  #buildOnHost(image: Image): void {
    if (this.props.host !== USUAL_HOST) image.addOverride('build.use_legacy_builder', true);
  }

  /** Volumes of files are made anew from what git and the store hold, so they are resources; data volumes are not. */
  #volume(workload: string, volume: FilesVolume): Volume {
    const id = `${workload}_${volume.id}`;
    return identified(new Volume(this.stack, `volume-${id}`, { name: tfEscape(volume.name) }), id);
  }

  /**
   * A container that is made and never started. Uploads into a read-only container fail, so this one, with a writable
   * root, carries the files into the volumes that the service mounts for reading only.
   */
  #filesContainer(workload: Workload, files: readonly FilesVolume[], volumes: readonly Volume[]): Container {
    const id = `${workload.node.id}_files`;
    const container = new Container(this.stack, `container-${id}`, {
      name: tfEscape(`${this.topology.containerName(workload)}-files`),
      image: this.#carrier().imageId,
      start: false,
      mustRun: false,
      restart: 'no',
      networkMode: 'none',
      capabilities: { drop: ['ALL'] },
      securityOpts: ['no-new-privileges:true'],
      memory: 16,
      memorySwap: 16,
      logDriver: 'local',
      logOpts: { 'max-size': '10m', 'max-file': '3' },
      ulimit: [{ name: 'core', soft: 0, hard: 0 }],
      mounts: files.map(({ id: folder, name }) => ({
        type: 'volume',
        source: tfEscape(name),
        target: tfEscape(`${CARRIER_ROOT}/${folder}`),
      })),
      labels: [
        { label: 'ragdock.environment', value: this.props.environment },
        { label: 'ragdock.files-of', value: workload.node.id },
      ],
      dependsOn: [...volumes, ...this.#before(workload)],
    });
    // The bindings do not know `owner` and `group`, which the provider has since 4.6.
    container.addOverride(
      'upload',
      files.flatMap((volume) =>
        volume.files.map(({ name, content }) => ({
          file: tfEscape(`${CARRIER_ROOT}/${volume.id}/${name}`),
          ...('text' in content
            ? { content_base64: Buffer.from(content.text).toString('base64'), permissions: CARRIED_MODE.config }
            : {
                source: this.#secretFile(content.secret, content.version),
                permissions: CARRIED_MODE.secret,
                owner: String(workload.user.uid),
                group: String(workload.user.gid),
              }),
        })),
      ),
    );
    const secrets = files
      .flatMap((volume) => volume.files)
      .flatMap(({ content }) => ('secret' in content ? [content] : []));
    if (secrets.length > 0) {
      const { environment, secretsCommand = `npx ragdock secrets init ${environment}` } = this.props;
      container.addOverride(
        'lifecycle.precondition',
        secrets.map(({ secret, version }) => ({
          condition: `\${var.${this.#planWithoutSecrets.friendlyUniqueId} || fileexists("${this.#secretFile(secret, version)}")}`,
          error_message: `SECRET_MISSING: the store holds no value for ${secret} (version ${version}). Run: ${tfEscape(secretsCommand)}`,
        })),
      );
    }
    this.#carriers.set(workload, container);
    return identified(container, id);
  }

  /**
   * What has to be there before a workload gets its files: of a new version of a secret, whoever is shown it knows it
   * before its readers show it.
   */
  #before(workload: Workload): readonly Container[] {
    const names = new Set(workload.secrets.map(({ name }) => name));
    const isBefore = (job: Job) =>
      job !== workload &&
      job.opened.some(({ name }) => names.has(name)) &&
      // The server that the job works on has to be there first.
      !job.connections.some(({ owner }) => owner === workload);
    const openers = this.topology.workloads.filter(Job.isJob).filter(isBefore);
    const servers = workload.connections.flatMap(({ owner, credential }) =>
      credential && Workload.isWorkload(owner) ? [owner] : [],
    );
    const carriers = [...new Set(servers)].flatMap((server) => {
      this.#container(server);
      return this.#carriers.get(server) ?? [];
    });
    return [...carriers, ...openers.map((job) => this.#container(job))];
  }

  #secretFile(name: string, version: number): string {
    return `\${path.module}/${this.props.secretsFolder}/${name}.v${version}`;
  }

  /** The provider reports a failed job as a success. */
  #expectSuccess(container: Container, name: string): void {
    // A model of some gigabytes takes longer than the provider's 20 minutes.
    container.addOverride('timeouts', { create: '5h' });
    container.addOverride('lifecycle.postcondition', [
      {
        condition: '${self.exit_code == 0}',
        error_message: `The job ${name} failed:\n\${self.container_logs}\nWhen its cause is gone, run: docker rm ${name}. The next deploy runs the job again.`,
      },
    ]);
  }

  #outputVersions(): void {
    const images = this.topology.workloads
      .filter(Service.isService)
      .map((service) => [service.node.id, imageReference(service, this.props.bundle.hash)] as const);
    const bundled = this.topology.workloads.some(({ image }) => image === 'bundled-apps');
    outputVersions(this.stack, {
      environment: this.props.environment,
      apps: bundled ? this.props.bundle.hash : undefined,
      images: new Map(images),
    });
  }

  #networkOf(id: string): Network {
    const network = this.#networks.get(id);
    if (!network) throw new Error(`the network ${id} was not lowered`);
    return network;
  }
}

/** Give a resource the id that its address in Terraform has for good: a changed one would destroy and make it anew. */
function identified<T extends TerraformElement>(element: T, id: string): T {
  element.overrideLogicalId(id);
  return element;
}

/** A reference in the characters that Terraform allows, a letter or `_` first: `prom/prometheus:v3` → `prom-prometheus-v3`. */
function imageId(reference: string): string {
  const shortened = reference.replace(/@sha256:(.{8}).*$/, '-$1');
  return shortened.replace(/[^A-Za-z0-9]+/g, '-').replace(/^\d/, '_$&');
}
