import { resolve } from 'node:path';
import { API_LIMITS } from '../../../config/api-limits.js';
import type { ApiLimits } from '../../../config/schema.js';
import { LEAST_CONTEXT_TOKENS, LEAST_MESSAGE_CHARACTERS } from '../../embedded/least.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { optionName, whole } from '../options.js';
import type { UpRequest } from '../up.js';

interface Options extends ApiLimits {
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
export function registerUp(program: RagdockCommand, io: Io): void {
  const command = program
    .command('up')
    .summary('run the whole stack in this process')
    .description('run the whole stack in this process, on 127.0.0.1, to try it and to develop: no Docker, no network')
    .option('--once', 'run the smoke tests, ask one question, and end; exit 0 or 1')
    .option('--port <number>', 'port of page, Socket.IO and API; 0 takes any that is free', whole(0, 65_535), 8080)
    .option('--data-dir <folder>', 'folder that keeps history and passages', '.ragdock/embedded')
    .option(
      '--docs <path...>',
      'documents of your own, in any format of `ragdock ingest`: files, and folders with all below them',
    )
    .option('--course <name>', 'course that they belong to')
    .option('--llm-url <url>', 'server of the OpenAI protocol that answers (default: answers quote the material)')
    .option('--llm-model <name>', 'which of its models (default: the first that it lists)')
    .option('--llm-key-file <file>', 'file that holds its key')
    .option(
      '--llm-context <tokens>',
      'tokens of prompt and answer together (default: what the server says, or 4096)',
      whole(LEAST_CONTEXT_TOKENS, 1_048_576),
    )
    .example('ragdock up', 'the chat with the demo course')
    .example('ragdock up --docs notes/ --course notes --llm-url http://127.0.0.1:8000/v1', 'your documents, your model')
    .example('ragdock up --once --port 0', 'a smoke test for a pipeline');
  for (const [key, { least, most, usual, meaning }] of Object.entries(API_LIMITS)) {
    const description = meaning.charAt(0).toLowerCase() + meaning.slice(1);
    const atLeast = key === 'messageCharacters' ? LEAST_MESSAGE_CHARACTERS : least;
    command.option(`--${optionName(key)} <number>`, description, whole(atLeast, most), usual);
  }
  command.action(async (options: Options) => {
    const request = await checked(options, io);
    const { up } = await import('../up.js');
    await up(request, io);
  });
}

/** The options as a request. Throws USAGE for options that make no sense together. */
async function checked(options: Options, { cwd }: Io): Promise<UpRequest> {
  const { ApiLimits } = await import('../../../config/schema.js');
  const { once = false, port, dataDir, docs, course, llmUrl, llmModel, llmKeyFile, llmContext } = options;
  await refuseOdd(options);
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

/** Throws every problem at once. */
async function refuseOdd({ docs, course, llmUrl, llmModel, llmKeyFile, llmContext }: Options): Promise<void> {
  const { CourseName } = await import('../../../config/schema.js');
  const { throwProblems } = await import('../../errors/problem.js');
  const problems: { path?: string; message: string }[] = [];
  if ((docs === undefined) !== (course === undefined)) {
    problems.push({ message: '--docs and --course belong together: which documents, and what course they are' });
  }
  const named = course === undefined ? undefined : CourseName.safeParse(course);
  if (named?.success === false) {
    const message = `'${course}' is no name of a course: ${named.error.issues[0]?.message}`;
    problems.push({ path: '--course', message });
  }
  if (llmUrl === undefined && (llmModel ?? llmKeyFile ?? llmContext) !== undefined) {
    problems.push({ message: '--llm-model, --llm-key-file and --llm-context need --llm-url' });
  }
  throwProblems(problems.map((problem) => ({ code: 'USAGE', ...problem })));
}
