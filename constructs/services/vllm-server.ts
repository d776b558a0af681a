import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import {
  type Endpoint,
  type Gpus,
  modelError,
  type RestartPolicy,
  SecretRef,
  Service,
  secretPath,
  type User,
} from '../model/index.js';
import { HuggingFaceModel } from './hugging-face-model.js';
import { type VllmFlags, vllmFlagArguments, vllmFlagFault, vllmFlagProblems } from './vllm/flags.js';
import { HEALTH } from './vllm/health.js';
import { START } from './vllm/start.js';

/** The user that the image makes for whoever does not want to be root. */
const USER: User = { uid: 2000, gid: 2000 };

/** Where the cache of Hugging Face is, as in `HF_HOME`. */
const MODELS = '/models';

/** Where a folder of the host with one model is. */
const MODEL_FOLDER = '/model';

/** What compilers of the server keep from one start to the next. */
const CACHE = '/cache';

/** Between the end of the last answers and the kill. */
const STOP_MARGIN_SECONDS = 15;

/** Where the model's files come from. */
export type VllmModelSource =
  | {
      /** A job downloads the repository into a volume. */
      readonly kind: 'download';
      /** Branch, tag or commit. @default 'main' */
      readonly revision?: string | undefined;
      /** Whether the repository wants a token; then a secret of its own holds it. @default false */
      readonly token?: boolean | undefined;
    }
  | {
      /** A Hugging Face cache that the host has, `~/.cache/huggingface`, read and never written. */
      readonly kind: 'host-cache';
      /** Absolute path on the host. */
      readonly path: string;
      /** Why the server has to see a folder of the host. */
      readonly reason: string;
      /** Branch, tag or commit that the cache holds. @default 'main' */
      readonly revision?: string | undefined;
    }
  | {
      /** A folder of the host with the files of one model, read and never written. */
      readonly kind: 'host-folder';
      /** Absolute path on the host. */
      readonly path: string;
      /** Why the server has to see a folder of the host. */
      readonly reason: string;
    };

/** Which model is served, and with what. */
export interface VllmServerProps {
  /** Reference with a tag. @default IMAGES.vllm */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps a downloaded model. @default - <environment>-<id>-models */
  readonly volumeName?: string | undefined;
  /** In MiB of main memory; holds the weights while they are loaded, shared memory and the server. @default 16384 */
  readonly memoryMiB?: number | undefined;
  /** Shared memory in MiB, which the processes of several cards talk through. @default 1024 for each card */
  readonly shmSizeMiB?: number | undefined;
  /** User that it runs as; another one where only that one may read a folder of the host. @default 2000:2000 */
  readonly user?: User | undefined;
  /** The model. */
  readonly model: {
    /** Repository of Hugging Face: `NightForger/saiga_nemo_12b-GPTQ`. */
    readonly name: string;
    /** Name under which clients ask for it. @default - the repository's */
    readonly servedName?: string | undefined;
    /** Where its files come from. @default - downloaded from the branch main */
    readonly source?: VllmModelSource | undefined;
  };
  /** Port inside the container, 1024 to 65535. @default 8010 */
  readonly port?: number | undefined;
  /** Graphics cards. @default - all, by the runtime nvidia */
  readonly gpus?: Gpus | undefined;
  /** Tokens of prompt and answer together. @default - as many as the model knows */
  readonly maxModelLen?: number | undefined;
  /** Share of a card's memory that the server takes, above 0 up to 1. @default - the server's, 0.92 */
  readonly gpuMemoryUtilization?: number | undefined;
  /** Runs program code that comes with the model. @default false */
  readonly trustRemoteCode?: boolean | undefined;
  /** Type of the weights. @default - what the model says */
  readonly dtype?: string | undefined;
  /** Method by which the weights were quantised. @default - what the model says */
  readonly quantization?: string | undefined;
  /** Requests served at once. @default - the server's choice */
  readonly maxNumSeqs?: number | undefined;
  /** Cards that share one copy of the model. @default 1 */
  readonly tensorParallelSize?: number | undefined;
  /** Starts sooner and answers slower: no graphs are captured. @default false */
  readonly enforceEager?: boolean | undefined;
  /** Further flags of `vllm serve` by name. @default - none */
  readonly flags?: VllmFlags | undefined;
  /** Time that open answers get to end when the server is stopped. @default 30 */
  readonly shutdownTimeoutSeconds?: number | undefined;
  /** When the engine starts it again. @default 'unless-stopped' */
  readonly restart?: RestartPolicy | undefined;
  /** Time until it has to be ready; loading, compiling and capturing graphs count. @default 1800 */
  readonly startPeriodSeconds?: number | undefined;
  /** Counts as unhealthy when requests are open and no token came for so long. @default - tokens are not looked at */
  readonly stallSeconds?: number | undefined;
}

/** vLLM: a model on graphics cards behind the OpenAI protocol. */
export class VllmServer extends Service {
  /** The OpenAI protocol, with a key on everything below /v1. */
  readonly http: Endpoint;
  /** Prometheus metrics, without a key. */
  readonly metrics: Endpoint;

  /** @throws RagdockError MODEL_INVALID for flags that the server would refuse, or should have refused, all at once */
  constructor(scope: Construct, id: string, props: VllmServerProps) {
    const key = new SecretRef(`${id}-api-key`, `asks the model of ${id}`);
    const { user = USER, port = 8010, shutdownTimeoutSeconds = 30 } = props;
    const { source = { kind: 'download' } } = props.model;
    const startPeriodSeconds = props.startPeriodSeconds ?? 1800;
    const probe = [
      `http://127.0.0.1:${port}`,
      ...(props.stallSeconds === undefined ? [] : [String(props.stallSeconds)]),
    ];
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.vllm },
      containerName: props.containerName,
      user,
      memoryMiB: props.memoryMiB ?? 16_384,
      shmSizeMiB: props.shmSizeMiB ?? 1024 * (props.tensorParallelSize ?? 1),
      gpus: props.gpus ?? { devices: 'all' },
      entrypoint: ['/bin/sh', '-euc', START, 'start-vllm', secretPath(key, 'current')],
      command: [
        source.kind === 'host-folder' ? MODEL_FOLDER : props.model.name,
        ...ownArguments(props, source, port, shutdownTimeoutSeconds),
        ...vllmFlagArguments(props.flags ?? {}),
      ],
      environment: ENVIRONMENT,
      tmpfs: [{ path: '/tmp', sizeMiB: 256 }],
      healthCheck: { command: ['python3', '-c', HEALTH, ...probe], timeoutSeconds: 10, startPeriodSeconds },
      // Streams that are open get their time to end; without one they would stay silent until the kill.
      stopGraceSeconds: shutdownTimeoutSeconds + STOP_MARGIN_SECONDS,
      ...(props.restart === undefined ? {} : { restart: props.restart }),
    });
    this.#refuseFlags(props);
    this.http = this.expose('http', { scheme: 'http', port, credential: key });
    this.metrics = this.expose('metrics', { scheme: 'http', port });
    this.addDataVolume({ id: `${id}-cache`, path: CACHE, owner: user });
    this.#addModel(scope, props, source, user);
  }

  #addModel(scope: Construct, props: VllmServerProps, source: VllmModelSource, user: User): void {
    if (source.kind !== 'download') {
      const path = source.kind === 'host-folder' ? MODEL_FOLDER : MODELS;
      this.addHostMount({ hostPath: source.path, path, reason: source.reason });
      return;
    }
    const volume = { id: `${this.node.id}-models`, name: props.volumeName, path: MODELS, owner: user };
    this.addDataVolume({ ...volume, readOnly: true });
    const { revision = 'main', token = false } = source;
    const model = { user, repository: props.model.name, revision, token, volume };
    this.runAfter(new HuggingFaceModel(scope, `${this.node.id}-model`, model));
  }

  #refuseFlags(props: VllmServerProps): void {
    const problems = [...ownProblems(props), ...vllmFlagProblems(props.flags ?? {})];
    if (problems.length === 0) return;
    throw modelError(
      this,
      problems.map(({ flag, message }) => `${flag}: ${message}`).join('; '),
      problems.map(({ remedy }) => remedy).join(' '),
    );
  }
}

const ENVIRONMENT = {
  // Everything that is written has one place; the root file system is read-only.
  HOME: CACHE,
  XDG_CACHE_HOME: CACHE,
  VLLM_CACHE_ROOT: `${CACHE}/vllm`,
  VLLM_CONFIG_ROOT: '/tmp/vllm',
  TORCHINDUCTOR_CACHE_DIR: `${CACHE}/torchinductor`,
  TRITON_CACHE_DIR: `${CACHE}/triton`,
  HF_HOME: MODELS,
  // Program code of a model is copied before it is imported.
  HF_MODULES_CACHE: `${CACHE}/modules`,
  // A job brings the model; the server has no way out.
  HF_HUB_OFFLINE: '1',
  VLLM_NO_USAGE_STATS: '1',
  DO_NOT_TRACK: '1',
  // PyTorch looks its user up by name and fails for a uid without one.
  USER: 'vllm',
  LOGNAME: 'vllm',
};

function ownArguments(
  props: VllmServerProps,
  source: VllmModelSource,
  port: number,
  shutdownTimeoutSeconds: number,
): readonly string[] {
  const { model } = props;
  const flags: VllmFlags = {
    'served-model-name': model.servedName ?? model.name,
    host: '0.0.0.0',
    port,
    'shutdown-timeout': shutdownTimeoutSeconds,
    ...given({
      revision: source.kind === 'host-folder' ? undefined : source.revision,
      'max-model-len': props.maxModelLen,
      'gpu-memory-utilization': props.gpuMemoryUtilization,
      dtype: props.dtype,
      quantization: props.quantization,
      'max-num-seqs': props.maxNumSeqs,
      'tensor-parallel-size': props.tensorParallelSize,
    }),
    ...(props.trustRemoteCode ? { 'trust-remote-code': true } : {}),
    ...(props.enforceEager ? { 'enforce-eager': true } : {}),
  };
  return vllmFlagArguments(flags);
}

/** What the parser takes of the construct's own properties, and the server never serves with. */
function ownProblems(props: VllmServerProps): readonly { flag: string; message: string; remedy: string }[] {
  const whole = (least: number, most: number) => (value: number) =>
    Number.isSafeInteger(value) && value >= least && value <= most;
  const among = (name: string, value: number | undefined, fits: (value: number) => boolean, form: string) =>
    value === undefined || fits(value)
      ? []
      : [{ flag: name, message: `expected ${form}, got ${value}`, remedy: `Set \`${name}\` to ${form}.` }];
  const many = whole(1, Number.MAX_SAFE_INTEGER);
  return [
    ...among('port', props.port, whole(1024, 65_535), 'a port from 1024 to 65535'),
    ...among('maxModelLen', props.maxModelLen, many, 'a whole number of at least 1'),
    ...among('gpuMemoryUtilization', props.gpuMemoryUtilization, (it) => it > 0 && it <= 1, 'a number above 0 up to 1'),
    ...among('maxNumSeqs', props.maxNumSeqs, many, 'a whole number of at least 1'),
    ...among('tensorParallelSize', props.tensorParallelSize, many, 'a whole number of at least 1'),
    ...among('shutdownTimeoutSeconds', props.shutdownTimeoutSeconds, many, 'a whole number of at least 1'),
    ...among('stallSeconds', props.stallSeconds, many, 'a whole number of at least 1'),
    ...(props.dtype === undefined ? [] : vllmFlagFault('dtype', props.dtype)),
  ];
}

function given(flags: Readonly<Record<string, string | number | undefined>>): VllmFlags {
  return Object.fromEntries(
    Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
