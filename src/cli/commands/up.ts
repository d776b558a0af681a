import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ApiLimits, CourseName } from '../../../config/schema.js';
import { RagdockError } from '../../errors/problem.js';
import type { Io } from '../io.js';
import { optionName, whole } from '../options.js';
import type { UpRequest } from '../up.js';

interface Options extends Partial<ApiLimits> {
  readonly once?: true;
  readonly port: number;
  readonly dataDir: string;
  readonly docs?: string[];
  readonly course?: string;
  readonly llmUrl?: string;
  readonly llmModel?: string;
  readonly llmKeyFile?: string;
  readonly llmContext?: number;
}

/** `ragdock up`: the embedded default, one process that needs nothing but Node. */
export function registerUp(program: Command, io: Io): void {
  const command = program
    .command('up')
    .description('run the whole stack in this process, on 127.0.0.1, to try it and to develop: no Docker, no network')
    .option('--once', 'run the smoke tests, ask one question, and end; exit 0 or 1')
    .option('--port <number>', 'port of page, Socket.IO and API; 0 takes any that is free', whole(0, 65_535), 8080)
    .option('--data-dir <folder>', 'folder that keeps history and passages', '.ragdock/embedded')
    .option('--docs <path...>', 'documents of your own (.md, .markdown, .txt): files, and folders with all below them')
    .option('--course <name>', 'course that they belong to')
    .option('--llm-url <url>', 'server of the OpenAI protocol that answers (default: answers quote the material)')
    .option('--llm-model <name>', 'which of its models (default: the first that it lists)')
    .option('--llm-key-file <file>', 'file that holds its key')
    .option(
      '--llm-context <tokens>',
      'tokens of prompt and answer together (default: what the server says, or 4096)',
      whole(512, 1_048_576),
    );
  for (const [key, limit] of Object.entries(ApiLimits.shape)) {
    const { minValue, maxValue } = limit.unwrap();
    const least = minValue ?? 1;
    const most = maxValue ?? Number.MAX_SAFE_INTEGER;
    command.option(`--${optionName(key)} <number>`, describe(limit), whole(least, most), limit.parse(undefined));
  }
  command.action(async (options: Options) => {
    const request = checked(options, io);
    const { up } = await import('../up.js');
    await up(request, io);
  });
}

/** The options as a request. Throws USAGE for options that make no sense together. */
function checked(options: Options, { cwd }: Io): UpRequest {
  const { once = false, port, dataDir, docs, course, llmUrl, llmModel, llmKeyFile, llmContext } = options;
  if ((docs === undefined) !== (course === undefined)) {
    const message = '--docs and --course belong together: which documents, and what course they are';
    throw new RagdockError({ code: 'USAGE', message });
  }
  const named = course === undefined ? undefined : CourseName.safeParse(course);
  if (named?.success === false) {
    const message = `'${course}' is no name of a course: ${named.error.issues[0]?.message}`;
    throw new RagdockError({ code: 'USAGE', path: '--course', message });
  }
  if (llmUrl === undefined && (llmModel ?? llmKeyFile ?? llmContext) !== undefined) {
    throw new RagdockError({ code: 'USAGE', message: '--llm-model, --llm-key-file and --llm-context need --llm-url' });
  }
  return {
    once,
    port,
    dataFolder: resolve(cwd, dataDir),
    documents: docs && course !== undefined ? { paths: docs, course } : undefined,
    limits: ApiLimits.strip().parse(options),
    modelServer:
      llmUrl === undefined
        ? undefined
        : {
            url: llmUrl,
            model: llmModel,
            keyFile: llmKeyFile === undefined ? undefined : resolve(cwd, llmKeyFile),
            contextTokens: llmContext,
          },
  };
}

function describe({ description = '' }: { readonly description?: string | undefined }): string {
  return description.charAt(0).toLowerCase() + description.slice(1);
}
