import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import {
  type Endpoint,
  type Gpus,
  modelError,
  SecretRef,
  Service,
  secretPath,
  type User,
  type Value,
} from '../model/index.js';
import { HuggingFaceModel, modelMarker } from './hugging-face-model.js';

/** The images have no user of their own but root. */
const USER: User = { uid: 1000, gid: 1000 };

/** Where the cache of Hugging Face is. */
const MODELS = '/models';

/** Where a folder of the host with one model is. */
const MODEL_FOLDER = '/model';

/** Between the request to stop and the kill: the server answers what it has begun, however long a batch takes. */
const STOP_GRACE_SECONDS = 30;

/**
 * Takes the place of the image's entrypoint. An empty key would switch authentication off, and a folder that is missing
 * would be taken for the name of a repository and asked for on the internet. The server has no flag for a key's file.
 */
const START = `
key_file="$1" model="$2" program="$3"; shift 3
API_KEY="$(cat "$key_file")" || API_KEY=""
[ -n "$API_KEY" ] || { echo "the key file $key_file is missing or empty: refusing to run without authentication" >&2; exit 78; }
export API_KEY
case "$model" in
  */.ragdock/*) folder="$(cat "$model")" || folder=""; folder="${MODELS}/$folder"; set -- --revision "$(basename "$folder")" "$@" ;;
  *) folder="$model" ;;
esac
[ -f "$folder/config.json" ] || { echo "$model leads to no model: there is no $folder/config.json" >&2; exit 78; }
exec "$program" --model-id "$folder" "$@"
`.trim();

/** Where the model's files come from. */
export type EmbeddingModelSource =
  | {
      /** A job downloads the repository into a volume. */
      readonly kind: 'download';
      /** Branch, tag or commit. @default 'main' */
      readonly revision?: string | undefined;
      /** Whether the repository wants a token; then a secret of its own holds it. @default false */
      readonly token?: boolean | undefined;
    }
  | {
      /** A folder of the host with the files of one model, read and never written. */
      readonly kind: 'host-folder';
      /** Absolute path on the host. */
      readonly path: string;
      /** Why the server has to see a folder of the host. */
      readonly reason: string;
    };

/** Which model makes the vectors, and how much it takes at once. */
export interface EmbeddingServerProps {
  /** Reference with a tag. @default - IMAGES.textEmbeddings, or IMAGES.textEmbeddingsCuda with `gpus` */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps a downloaded model. @default - <environment>-<id>-models */
  readonly volumeName?: string | undefined;
  /** In MiB of main memory; a text of the greatest length costs most of it. @default 12288 */
  readonly memoryMiB?: number | undefined;
  /** User that it runs as; another one where only that one may read a folder of the host. @default 1000:1000 */
  readonly user?: User | undefined;
  /** The model. @default - deepvk/USER-bge-m3, downloaded from the branch main */
  readonly model?:
    | {
        /** Repository of Hugging Face, which is also the name under which clients ask for it. @default 'deepvk/USER-bge-m3' */
        readonly name?: string | undefined;
        /** Where its files come from. @default - downloaded from the branch main */
        readonly source?: EmbeddingModelSource | undefined;
      }
    | undefined;
  /** Port inside the container, 1024 to 65535. @default 8080 */
  readonly port?: number | undefined;
  /** Graphics cards. @default - none, it computes on the processor */
  readonly gpus?: Gpus | undefined;
  /** Texts in one request; more are refused with 422. @default 32 */
  readonly maxClientBatchSize?: number | undefined;
  /** Tokens computed at once; at least the longest text that the model takes. @default 16384 */
  readonly maxBatchTokens?: number | undefined;
  /** Texts that are waited for at once; more are refused with 429. @default 512 */
  readonly maxConcurrentRequests?: number | undefined;
  /** Longest request in bytes; more is refused with 413. @default 2000000 */
  readonly payloadBytes?: number | undefined;
  /** Time until it has to be ready; loading and a first run at the greatest length count. @default 600 */
  readonly startPeriodSeconds?: number | undefined;
}

/** text-embeddings-inference: a model that makes vectors of texts. */
export class EmbeddingServer extends Service {
  /** Its own protocol and `/v1/embeddings`, with a key on everything but `/health`, `/ping` and `/metrics`. */
  readonly http: Endpoint;
  /** Prometheus metrics, without a key. */
  readonly metrics: Endpoint;
  /** Name of the model, as `/info` gives it in `served_model_name`. */
  readonly modelName: string;

  /** @throws RagdockError MODEL_INVALID when a batch of the greatest size could never be taken, or a limit is none */
  constructor(scope: Construct, id: string, props: EmbeddingServerProps = {}) {
    const key = new SecretRef(`${id}-api-key`, `asks the embedding model of ${id}`);
    const { user = USER, port = 8080, gpus } = props;
    const { name = 'deepvk/USER-bge-m3', source = { kind: 'download' } } = props.model ?? {};
    const limits = {
      'max-client-batch-size': props.maxClientBatchSize ?? 32,
      'max-batch-tokens': props.maxBatchTokens ?? 16_384,
      'max-concurrent-requests': props.maxConcurrentRequests ?? 512,
      'payload-limit': props.payloadBytes ?? 2_000_000,
    };
    super(scope, id, {
      image: { reference: props.image ?? (gpus ? IMAGES.textEmbeddingsCuda : IMAGES.textEmbeddings) },
      containerName: props.containerName,
      user,
      memoryMiB: props.memoryMiB ?? 12_288,
      gpus,
      entrypoint: entrypoint(
        secretPath(key, 'current'),
        source.kind === 'host-folder' ? MODEL_FOLDER : modelMarker(MODELS, name, source.revision ?? 'main'),
        // The CUDA image chooses the program for the card, and the libraries for the driver.
        gpus ? '/entrypoint.sh' : 'text-embeddings-router',
      ),
      command: [
        ...['--served-model-name', name, '--hostname', '0.0.0.0', '--port', String(port), '--json-output'],
        // A text that is cut without a word gets a vector of its beginning alone, and is never found by its end.
        ...['--auto-truncate', 'false'],
        ...Object.entries(limits).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
      ],
      environment: {
        // At its start it prints its flags, the key among them. Its requests and errors come from other modules.
        LOG_LEVEL: 'info,text_embeddings_router=warn,text_embeddings_router::http=info',
        HF_HUB_OFFLINE: '1',
      },
      tmpfs: [{ path: '/tmp', sizeMiB: 64 }],
      healthCheck: {
        command: ['curl', '-fsS', '-o', '/dev/null', `http://127.0.0.1:${port}/health`],
        // It computes a text when none came for a while.
        timeoutSeconds: 10,
        startPeriodSeconds: props.startPeriodSeconds ?? 600,
      },
      stopGraceSeconds: STOP_GRACE_SECONDS,
    });
    this.#refuseLimits({ ...limits, port });
    this.modelName = name;
    this.http = this.expose('http', { scheme: 'http', port, credential: key });
    this.metrics = this.expose('metrics', { scheme: 'http', port });
    this.#addModel(scope, name, source, user, props.volumeName);
  }

  #addModel(
    scope: Construct,
    repository: string,
    source: EmbeddingModelSource,
    user: User,
    volumeName: string | undefined,
  ): void {
    if (source.kind === 'host-folder') {
      this.addHostMount({ hostPath: source.path, path: MODEL_FOLDER, reason: source.reason });
      return;
    }
    const volume = { id: `${this.node.id}-models`, name: volumeName, path: MODELS, owner: user };
    this.addDataVolume({ ...volume, readOnly: true });
    const { revision = 'main', token = false } = source;
    const model = { user, repository, revision, token, volume };
    this.runAfter(new HuggingFaceModel(scope, `${this.node.id}-model`, model));
  }

  #refuseLimits(limits: Readonly<Record<string, number>>): void {
    const { port = 0, ...others } = limits;
    const wrong = Object.entries(others).filter(([, value]) => !Number.isSafeInteger(value) || value < 1);
    const batch = others['max-client-batch-size'] ?? 0;
    const concurrent = others['max-concurrent-requests'] ?? 0;
    const messages = [
      ...wrong.map(([name, value]) => `${name}: expected a whole number of at least 1, got ${value}`),
      ...(Number.isSafeInteger(port) && port >= 1024 && port <= 65_535
        ? []
        : [`port: expected a port from 1024 to 65535, got ${port}`]),
      // Each text of a request counts.
      ...(batch > concurrent
        ? [`max-client-batch-size: ${batch} texts are more than max-concurrent-requests, ${concurrent}`]
        : []),
    ];
    if (messages.length === 0) return;
    throw modelError(
      this,
      messages.join('; '),
      'Correct the limits: one request may have as many texts as are taken at once.',
    );
  }
}

const entrypoint = (keyFile: Value, model: string, program: string): readonly Value[] => [
  ...['/bin/sh', '-euc', START, 'start-embeddings'],
  keyFile,
  model,
  program,
];
