import type { Construct } from 'constructs';
import { IMAGES } from '../images.js';
import { type Endpoint, Job, SecretRef, Service, secretPath } from '../model/index.js';
import { APPS_USER, addSettings, bundledApp } from './bundled-app.js';

const MODELS = '/models';
const PORT = 8080;

/** The server takes an empty key file for "no key needed"; a missing model would be retried without an end. */
const START = `
key_file="$1"; shift
[ -n "$(cat "$key_file")" ] || { echo "the key file $key_file is missing or empty: refusing to run without authentication" >&2; exit 78; }
exec /app/llama-server --api-key-file "$key_file" "$@"
`.trim();

/** Which model is served, and with what. */
export interface LlamaCppServerProps {
  /** Reference with a tag. @default IMAGES.llamaCpp */
  readonly image?: string | undefined;
  /** Name of the container. @default - <environment>-<id> */
  readonly containerName?: string | undefined;
  /** Volume that keeps the model files. @default - <environment>-<id>-models */
  readonly volumeName?: string | undefined;
  /** In MiB; holds the model, its context and the server. @default 2048 */
  readonly memoryMiB?: number | undefined;
  /** The model and where it comes from. */
  readonly model: {
    /** Name under which clients ask for the model. */
    readonly name: string;
    /** File name in the models volume, ends in .gguf. */
    readonly file: string;
    /** Where a job downloads the file from when the volume lacks it. */
    readonly url: string;
    /** SHA-256 of the file, 64 lower-case hexadecimal digits. */
    readonly sha256: string;
  };
  /** Tokens of prompt and answer together, shared by the parallel requests. @default 8192 */
  readonly contextLength?: number | undefined;
  /** Requests served at once. @default 1 */
  readonly parallel?: number | undefined;
  /** Threads of the processor. @default - as many as the server finds useful */
  readonly threads?: number | undefined;
}

/** llama.cpp's server: a model on the CPU behind the OpenAI protocol. */
export class LlamaCppServer extends Service {
  /** The OpenAI protocol, with a key. */
  readonly http: Endpoint;
  /** Prometheus metrics, behind the same key. */
  readonly metrics: Endpoint;

  constructor(scope: Construct, id: string, props: LlamaCppServerProps) {
    const key = new SecretRef(`${id}-api-key`, `asks the model of ${id}`);
    const flags = {
      '--model': `${MODELS}/${props.model.file}`,
      '--alias': props.model.name,
      '--ctx-size': String(props.contextLength ?? 8192),
      '--parallel': String(props.parallel ?? 1),
      ...(props.threads === undefined ? {} : { '--threads': String(props.threads) }),
      '--host': '0.0.0.0',
      '--port': String(PORT),
    };
    super(scope, id, {
      image: { reference: props.image ?? IMAGES.llamaCpp },
      containerName: props.containerName,
      user: APPS_USER,
      memoryMiB: props.memoryMiB ?? 2048,
      entrypoint: ['/bin/sh', '-euc', START, 'start-llama-server', secretPath(key, 'current')],
      command: [...Object.entries(flags).flat(), '--metrics', '--no-webui'],
      tmpfs: [{ path: '/tmp', sizeMiB: 64 }],
      healthCheck: {
        command: ['curl', '-fsS', '-o', '/dev/null', `http://127.0.0.1:${PORT}/health`],
        // Mapping a file of some gigabytes from a slow disk takes minutes.
        startPeriodSeconds: 600,
      },
    });
    this.http = this.expose('http', { scheme: 'http', port: PORT, credential: key });
    this.metrics = this.expose('metrics', { scheme: 'http', port: PORT, credential: key });
    const volume = { id: `${id}-models`, name: props.volumeName, path: MODELS, owner: APPS_USER };
    this.addDataVolume({ ...volume, readOnly: true });
    this.runAfter(this.#modelJob(scope, `${id}-model`, props, volume));
  }

  #modelJob(
    scope: Construct,
    id: string,
    { model }: LlamaCppServerProps,
    volume: Parameters<Job['addDataVolume']>[0],
  ): Job {
    const job = new Job(scope, id, {
      ...bundledApp('job-model'),
      memoryMiB: 256,
      egress: { reason: 'downloads the model file when the volume does not hold it' },
    });
    job.addDataVolume(volume);
    addSettings(job, {
      url: model.url,
      file: `${MODELS}/${model.file}`,
      sha256: model.sha256,
      // A model of 10 GB over 20 Mbit/s takes more than an hour.
      deadlineSeconds: 4 * 3600,
    });
    return job;
  }
}
