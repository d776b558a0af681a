import { resolve } from 'node:path';
import type { ImportProgress } from '../../operator/model-import.js';
import { HELP_COMMAND, type RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options {
  readonly env: string;
  readonly llm?: string;
}

/** `ragdock model`: the files that model servers read. */
export function registerModel(program: RagdockCommand, io: Io): void {
  const model = program.command('model').description('bring model files to the engine without a download');
  const line = 'ragdock model import SmolLM2-135M-Instruct.Q4_1.gguf --env dev';
  model
    .helpCommand(...HELP_COMMAND)
    .example(line, 'before the first deploy on a host without internet')
    .command('import')
    .description('check a model file and carry it into the volume of its server; works before the first deploy')
    .argument('<file>', 'file whose SHA-256 the environment names')
    .requiredOption('--env <env>', 'name or file of the environment')
    .option('--llm <name>', 'which of services.llm it is for (default: the one that api.llm names)')
    .example(line, 'for the model that answers')
    .action((file: string, options: Options) => importFile(file, options, io));
}

async function importFile(path: string, options: Options, io: Io): Promise<void> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const environment = loadEnvironment(options.env, { cwd: io.cwd });
  const { checkModelFile, importModel, modelDestination } = await import('../../operator/model-import.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { StatusLine } = await import('../../operator/status-line.js');

  const destination = modelDestination(environment, options.llm);
  const file = { path: resolve(io.cwd, path), shown: path };
  const status = new StatusLine(io.stderr);
  const onProgress = (progress: ImportProgress) => status.show(formatProgress(progress));
  try {
    const size = await checkModelFile(file, destination, onProgress, io.signal);
    await withEngine(environment.settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
      importModel(docker, file, size, destination, onProgress, io.signal),
    );
  } finally {
    status.clear();
  }
  io.stdout.write(`${destination.file} is in the volume ${destination.volume}\n`);
}

function formatProgress({ step, done, of }: ImportProgress): string {
  if (step === 'pulling') return 'pulling the image of the model server';
  const percent = of === 0 ? 100 : Math.floor((done / of) * 100);
  return `${step} ${percent} % of ${(of / 1e6).toFixed(0)} MB`;
}
