import { resolve } from 'node:path';
import { Option } from 'commander';
import type Docker from 'dockerode';
import type { ImportProgress } from '../../operator/model-carrier.js';
import type { ModelFile, ModelFileDestination, ModelFolderDestination } from '../../operator/model-import.js';
import { HELP_COMMAND, type RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options {
  readonly env: string;
  readonly llm?: string;
  readonly embeddings?: true;
}

/** `ragdock model`: the files that model servers read. */
export function registerModel(program: RagdockCommand, io: Io): void {
  const model = program.command('model').description('bring model files to the engine without a download');
  const line = 'ragdock model import SmolLM2-135M-Instruct.Q4_1.gguf --env dev';
  model
    .helpCommand(...HELP_COMMAND)
    .example(line, 'before the first deploy on a host without internet')
    .command('import')
    .description(
      'check the files of a model and carry them into the volume of its server; works before the first deploy',
    )
    .argument(
      '<path>',
      'llama.cpp: the file whose SHA-256 the environment names; vLLM: the folder with the model’s files',
    )
    .requiredOption('--env <env>', 'name or file of the environment')
    .option('--llm <name>', 'which of services.llm it is for (default: the one that api.llm names)')
    .addOption(
      new Option('--embeddings', 'it is for the embedding server: the folder with the model’s files').conflicts('llm'),
    )
    .example(line, 'for the model that answers')
    .example('ragdock model import ./saiga_nemo_12b-GPTQ --env prod --llm main', 'a folder, for vLLM')
    .action((path: string, options: Options) => importAny(path, options, io));
}

async function importAny(path: string, options: Options, io: Io): Promise<void> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const environment = loadEnvironment(options.env, { cwd: io.cwd });
  const { modelDestination } = await import('../../operator/model-import.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { StatusLine } = await import('../../operator/status-line.js');

  const destination = modelDestination(environment, options.embeddings ? { embeddings: true } : { llm: options.llm });
  const source = { path: resolve(io.cwd, path), shown: path };
  const status = new StatusLine(io.stderr);
  const onProgress = (progress: ImportProgress) => status.show(formatProgress(progress));
  const onEngine = (action: (docker: Docker) => Promise<string>) =>
    withEngine(environment.settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, action);
  let imported: string;
  try {
    imported =
      destination.kind === 'file'
        ? await importFile(source, destination, onEngine, onProgress, io.signal)
        : await importFolder(source, destination, onEngine, onProgress, io.signal);
  } finally {
    status.clear();
  }
  io.stdout.write(`${imported} is in the volume ${destination.volume}\n`);
}

type Import<Destination> = (
  source: ModelFile,
  destination: Destination,
  onEngine: (action: (docker: Docker) => Promise<string>) => Promise<string>,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
) => Promise<string>;

const importFile: Import<ModelFileDestination> = async (source, destination, onEngine, onProgress, signal) => {
  const { checkModelFile, importModel } = await import('../../operator/model-import.js');
  const size = await checkModelFile(source, destination, onProgress, signal);
  return onEngine(async (docker) => {
    await importModel(docker, source, size, destination, onProgress, signal);
    return destination.file;
  });
};

const importFolder: Import<ModelFolderDestination> = async (source, destination, onEngine, onProgress, signal) => {
  const { readModelFolder } = await import('../../operator/model-folder.js');
  const { importModelFolder } = await import('../../operator/model-folder-import.js');
  const files = await readModelFolder(source, destination);
  return onEngine(async (docker) => {
    await importModelFolder(docker, files, destination, onProgress, signal);
    return `${destination.repository} at ${destination.revision}`;
  });
};

function formatProgress({ step, done, of }: ImportProgress): string {
  if (step === 'pulling') return 'pulling the image of the model server';
  const percent = of === 0 ? 100 : Math.floor((done / of) * 100);
  return `${step} ${percent} % of ${(of / 1e6).toFixed(0)} MB`;
}
