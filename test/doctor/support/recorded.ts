import type { FindingId } from '../../../src/doctor/finding.js';
import type { Writer } from '../../../src/doctor/log-causes.js';

/** A line as somebody writes it, and where it was recorded or comes from. */
export interface Recorded {
  readonly writer: Writer;
  readonly id: FindingId;
  readonly text: string;
  readonly source: string;
  /** What the finding is told of it. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Lines that cannot be had from a real program on a machine without its hardware, registry or network, or not quickly. */
export const RECORDED: readonly Recorded[] = [
  {
    writer: 'vllm',
    id: 'gpu-lost',
    text: 'Failed to initialize NVML: Unknown Error',
    source: 'nvidia-smi and NVML in a container after systemctl daemon-reload; NVIDIA container toolkit, known issues',
    values: { nvml: 'Failed to initialize NVML: Unknown Error' },
  },
  {
    writer: 'engine',
    id: 'gpu-lost',
    text: "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown",
    source: 'Docker 24 with nvidia-container-toolkit after an update of the driver',
  },
  {
    writer: 'engine',
    id: 'gpu-lost',
    text: 'nvidia-container-cli: detection error: nvml error: unknown error',
    source: 'nvidia-container-toolkit, as its issues quote it',
    values: { nvml: 'detection error: nvml error: unknown error' },
  },
  {
    writer: 'engine',
    id: 'gpu-driver-too-old',
    text: "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda container: unknown",
    source: 'Docker 28 with a driver of CUDA 12.4, as issues of images for CUDA 12.8 quote it',
    values: { wants: 'cuda>=12.8' },
  },
  {
    writer: 'engine',
    id: 'gpu-driver-too-old',
    text: 'OCI runtime create failed: running prestart hook 1 caused \\"error running hook: exit status 1, stdout: , stderr: nvidia-container-cli: requirement error: unsatisfied condition: cuda >= 9.2\\\\n\\"": unknown',
    source: 'Docker 18 and 19 with quotes within quotes, as issues of nvidia-docker quote it',
    values: { wants: 'cuda >= 9.2' },
  },
  {
    writer: 'engine',
    id: 'gpu-unknown',
    text: "OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: device error: 1: unknown device: unknown",
    source: 'Docker 24 that is asked for a second card of one, as issues of nvidia-docker quote it',
    values: { device: '1' },
  },
  {
    writer: 'vllm',
    id: 'shared-memory-exhausted',
    text: 'dev-llm-main:3663:4044 [0] misc/shmutils.cc:129 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-Ewjreo (size 33030528), error: No space left on device (28)',
    source: 'NCCL under vLLM on several cards, as issues quote it',
  },
  {
    writer: 'vllm',
    id: 'shared-memory-exhausted',
    text: 'dev-llm-main:2016:2022 [0] misc/shmutils.cc:88 NCCL WARN Error: failed to extend /dev/shm/nccl-WU88OE to 9637892 bytes, error: No space left on device (28)',
    source: 'likewise',
  },
  {
    writer: 'engine',
    id: 'disk-full',
    text: 'failed to create task for container:\nmkdir /run/containerd/io.containerd.runtime.v2.task/moby/5a3d: no space left on device: unknown',
    source: 'Docker 24, /run full; over two lines',
  },
  {
    writer: 'engine',
    id: 'nvidia-runtime-missing',
    text: 'could not select device driver "" with capabilities: [[gpu]]',
    source: 'Docker 20.10 on the test host without the hook of the toolkit',
  },
  {
    writer: 'engine',
    id: 'nvidia-runtime-missing',
    text: 'Unknown runtime specified nvidia',
    source: 'Docker 20.10 on the test host without the runtime',
  },
  {
    writer: 'engine',
    id: 'port-taken',
    text: 'driver failed programming external connectivity on endpoint dev-web-bot (5a3d): Bind for 127.0.0.1:8080 failed: port is already allocated',
    source: 'Docker 20.10, a port that another container publishes',
    values: { port: '8080' },
  },
  {
    writer: 'engine',
    id: 'port-taken',
    text: 'driver failed programming external connectivity on endpoint dev-web-bot (5a3d): Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use',
    source: 'Docker 20.10, a port that a process has',
    values: { port: '8080' },
  },
  {
    writer: 'engine',
    id: 'port-taken',
    text: 'failed to set up container networking: driver failed programming external connectivity on endpoint dev-web-bot (5a3d): failed to bind host port 127.0.0.1:8080/tcp: address already in use',
    source: 'Docker 29, a port that a process has',
    values: { port: '8080' },
  },
  {
    writer: 'engine',
    id: 'port-taken',
    text: 'driver failed programming external connectivity on endpoint dev-web-bot (5a3d): Error starting userland proxy: listen tcp6 [::]:8080: bind: address already in use',
    source: 'Docker 20.10 to 27, a port that a process has for IPv6',
    values: { port: '8080' },
  },
  {
    writer: 'engine',
    id: 'network-addresses-taken',
    text: 'Pool overlaps with other one on this address space',
    source: 'Docker 20.10, libnetwork',
  },
  {
    writer: 'engine',
    id: 'network-pool-exhausted',
    text: "no available IPv4 addresses on this network's address pools: dev-web-bot--published (2628c4b4a767)",
    source: 'Docker 20.10 to 29, a sixth container in a /29',
  },
  {
    writer: 'engine',
    id: 'network-pool-exhausted',
    text: 'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
    source: 'Docker 20.10 to 27, a network more than the default pools hold',
  },
  {
    writer: 'engine',
    id: 'network-pool-exhausted',
    text: 'all predefined address pools have been fully subnetted',
    source: 'Docker 28 and 29, likewise',
  },
  {
    writer: 'vllm',
    id: 'gpu-memory-exhausted',
    text: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of 23.64 GiB of which 137.69 MiB is free.',
    source: 'PyTorch 2.6 and newer, as issues of vLLM quote it',
  },
  {
    writer: 'vllm',
    id: 'gpu-cache-too-small',
    text: 'ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.',
    source: 'vLLM 0.6 to 0.32',
  },
  {
    writer: 'vllm',
    id: 'gpu-memory-exhausted',
    text: 'ValueError: Free memory on device cuda:0 (3.2/23.64 GiB) on startup is less than desired GPU memory utilization (0.9, 21.28 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.',
    source: 'vLLM 0.10 and newer',
  },
  {
    writer: 'model-job',
    id: 'model-token-missing',
    text: 'owner/model at main was not downloaded: the server answered 401; check model.name and model.revision, whether the repository wants a token, and the way out of this host',
    source: 'our own job, against a server that answers 401 (jobs.test.ts)',
  },
  {
    writer: 'model-file-job',
    id: 'model-file-refused',
    text: 'the model https://models.example/tiny.gguf was not put into /models/tiny.gguf: the server answered 403; check the address, or bring the file in from this machine with `ragdock model import`',
    source: 'our own job, against a server that answers 403 (jobs.test.ts)',
  },
  {
    writer: 'vllm',
    id: 'model-files-missing',
    text: "  Value error, Invalid repository ID or local directory specified: '/model'.",
    source: 'vLLM, a folder without config.json, as issues quote it',
  },
  {
    writer: 'vllm',
    id: 'model-files-missing',
    text: 'RuntimeError: Cannot find any model weights with `/model`',
    source: 'vLLM, a folder with config.json and without weights, as issues quote it',
  },
  {
    writer: 'llama.cpp',
    id: 'model-files-missing',
    text: "0.00.043.158 E gguf_init_from_file: failed to open GGUF file '/models/none.gguf' (No such file or directory)",
    source: 'llama.cpp, of the test image, without a model',
  },
  {
    writer: 'llama.cpp',
    id: 'volume-not-writable',
    text: "0.00.043.158 E gguf_init_from_file: failed to open GGUF file '/models/tiny.gguf' (Permission denied)",
    source: 'llama.cpp, as above, of a file of somebody else',
  },
  {
    writer: 'embeddings',
    id: 'model-files-missing',
    text: '/models/deepvk-USER-bge-m3 leads to no model: there is no /models/snapshot/config.json',
    source: 'our own start script of the embedding server',
  },
  {
    writer: 'model-file-job',
    id: 'model-download-without-network',
    text: 'the model https://models.example/tiny.gguf was not put into /models/tiny.gguf: fetch failed (ENOTFOUND); check the address, or bring the file in from this machine with `ragdock model import`',
    source: 'our own job, without a network (jobs.test.ts)',
  },
  {
    writer: 'postgres',
    id: 'postgres-other-major',
    text: '2026-11-22 10:00:01.123 UTC [1] DETAIL:  The data directory was initialized by PostgreSQL version 14, which is not compatible with this version 15.8 (Debian 15.8-0+deb12u1).',
    source: 'PostgreSQL 15',
    values: { had: '14', has: '15' },
  },
  {
    writer: 'postgres',
    id: 'postgres-other-password',
    text: '2026-11-22 10:00:01.123 UTC [71] FATAL:  password authentication failed for user "rag_api_1"',
    source: 'PostgreSQL 15',
  },
  {
    writer: 'rag-api',
    id: 'postgres-other-password',
    text: '{"level":"warn","time":"2026-11-22T10:00:01.123Z","dependency":"history","err":{"type":"DatabaseError","message":"password authentication failed for user \\"rag_api_1\\"","code":"28P01","stack":""},"msg":"not ready"}',
    source: 'our own API, pg 8.23',
  },
  {
    writer: 'roles-job',
    id: 'postgres-other-password',
    text: "PostgreSQL refuses the superuser's password in /run/secrets/postgres-superuser-password; restore the password that its data was made with (ragdock secrets set)",
    source: 'our own job',
  },
  {
    writer: 'qdrant',
    id: 'qdrant-recovery-mode',
    text: '2026-11-22T10:00:01.123456Z  WARN qdrant: Qdrant is loaded in recovery mode: The server was killed while it loaded its collections.',
    source: 'Qdrant 1.19, src/main.rs',
  },
  {
    writer: 'qdrant',
    id: 'qdrant-recovery-mode',
    text: 'the server was killed before its collections were loaded: it starts again in recovery mode',
    source: 'our own start script',
  },
  {
    writer: 'collections-job',
    id: 'collection-mismatch',
    text: 'collection course_material was made otherwise: vectors of 384 numbers, not 1024; name another collection in the environment file, or delete this one and ingest its documents again',
    source: 'our own job',
    values: { collection: 'course_material' },
  },
  {
    writer: 'rag-api',
    id: 'embedding-mismatch',
    text: '{"level":"warn","err":{"type":"EmbeddingError","message":"intfloat/e5 was said to make vectors of 384 numbers, and this one has 1024"},"msg":"degraded"}',
    source: 'our own API',
    values: { said: '384', has: '1024' },
  },
  {
    writer: 'postgres',
    id: 'disk-full',
    text: '2026-11-22 10:00:01.123 UTC [71] PANIC:  could not write to file "pg_wal/xlogtemp.71": No space left on device',
    source: 'PostgreSQL 15',
  },
  {
    writer: 'qdrant',
    id: 'disk-full',
    text: '2026-11-22T10:00:01.123456Z ERROR qdrant::actix::helpers: Service internal error: No space left on device (os error 28)',
    source: 'Qdrant 1.19',
  },
  {
    writer: 'postgres',
    id: 'memory-exhausted',
    text: '2026-11-22 10:00:01.123 UTC [1] LOG:  server process (PID 71) was terminated by signal 9: Killed',
    source: 'PostgreSQL 15',
  },
  {
    writer: 'postgres',
    id: 'volume-not-writable',
    text: '2026-11-22 10:00:01.123 UTC [1] FATAL:  could not open file "global/pg_filenode.map": Permission denied',
    source: 'PostgreSQL 15',
  },
  {
    writer: 'postgres',
    id: 'volume-not-writable',
    text: 'initdb: error: could not change permissions of directory "/var/lib/postgresql/data": Operation not permitted',
    source: 'PostgreSQL 15, a folder of somebody else at the first start',
  },
  {
    writer: 'postgres',
    id: 'volume-not-writable',
    text: '2026-11-22 10:00:01.123 UTC [71] ERROR:  could not open file "base/16384/1259": Permission denied',
    source: 'PostgreSQL 15',
  },
  {
    writer: 'postgres',
    id: 'volume-not-writable',
    text: '2026-11-22 10:00:01.123 UTC [1] FATAL:  data directory "/var/lib/postgresql/data/pgdata" has wrong ownership',
    source: 'PostgreSQL 15',
  },
  {
    writer: 'ownership-job',
    id: 'volume-not-writable',
    text: "/var/lib/postgresql/data could not be given to 999:999: EPERM: operation not permitted, chown '/var/lib/postgresql/data'",
    source: 'our own job, Node 20',
  },
];
