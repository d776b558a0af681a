import { Option } from 'commander';
import type { Searched, Searcher } from '../evaluation/judged.js';
import type { JudgedFolder } from '../evaluation/judged-folder.js';
import type { RagdockCommand } from './command.js';
import type { Io } from './io.js';
import { whole } from './options.js';

/** Passages that a prompt gets from one collection where no environment says otherwise. */
const LIMIT = 3;

/** Where passages are searched, as a command line says it. */
export interface MeasuringOptions {
  readonly env?: string;
  readonly collection?: string;
  readonly qdrantUrl?: string;
  readonly qdrantKeyFile?: string;
  readonly language: 'russian' | 'english';
  readonly embeddingsUrl?: string;
  readonly embeddingsModel?: string;
  readonly embeddingsDimension?: number;
}

/** The options that say where a judged set is searched. */
export function addMeasuringOptions(command: RagdockCommand): RagdockCommand {
  return command
    .option('--env <env>', 'search in the running stack of an environment (default: in this process)')
    .option(
      '--collection <name>',
      'collection of the environment to measure like (default: the first that ragdock fills)',
    )
    .addOption(new Option('--qdrant-url <url>', 'search in this Qdrant; its key is in QDRANT_API_KEY').conflicts('env'))
    .option('--qdrant-key-file <file>', 'file with the key, in place of QDRANT_API_KEY')
    .addOption(
      new Option('--language <language>', 'of stemming in the Qdrant of --qdrant-url')
        .choices(['russian', 'english'])
        .default('russian'),
    )
    .option(
      '--embeddings-url <url>',
      'server with /v1/embeddings beside --qdrant-url; its key is in EMBEDDINGS_API_KEY',
    )
    .option('--embeddings-model <name>', 'its model')
    .option('--embeddings-dimension <number>', 'numbers in one of its vectors', whole(1, 65_535));
}

/** What is done with a set once it is known where to search. */
export interface Measuring {
  readonly folder: JudgedFolder;
  /** Ids of passages that are left out. @default - none */
  readonly without?: ReadonlySet<string>;
  /** Whether what a gate looks at is asked for. */
  readonly forGate: boolean;
}

/** Reads a judged set and tells on stderr what is odd about it. */
export async function readSet(path: string, io: Io): Promise<JudgedFolder> {
  const { readJudgedFolder } = await import('../evaluation/judged-folder.js');
  const folder = await readJudgedFolder(path, io.cwd);
  for (const notice of folder.notices) io.stderr.write(`${notice}\n`);
  if (folder.skipped > 0) io.stderr.write(`${folder.skipped} questions without a relevant passage are left out\n`);
  return folder;
}

/** Asks all questions of a set where the options say. */
export async function searchSet(measuring: Measuring, options: MeasuringOptions, io: Io): Promise<Searched> {
  const { forGate } = measuring;
  await requireSense(options);
  if (options.env !== undefined) {
    const { describeStack } = await import('../operator/stack.js');
    const { measuredCollection, SessionSearcher } = await import('../operator/session-searcher.js');
    const { requireKnown } = await import('../operator/known.js');
    const { withEngine } = await import('../operator/docker.js');
    const stack = describeStack(options.env, io.cwd);
    const { name, settings } = stack.environment;
    if (options.collection !== undefined) {
      requireKnown('collection', options.collection, Object.keys(settings.services.api.collections), name);
    }
    const collection = measuredCollection(stack, options.collection);
    return withEngine(settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
      searching(new SessionSearcher(docker, { stack, collection, forGate, signal: io.signal }), measuring, io),
    );
  }
  return searching(await ownSearcher(options, forGate, io), measuring, io);
}

async function ownSearcher(options: MeasuringOptions, forGate: boolean, io: Io): Promise<Searcher> {
  const limit = forGate ? LIMIT : undefined;
  if (options.qdrantUrl === undefined) {
    const { EmbeddedSearcher } = await import('../evaluation/embedded-searcher.js');
    return new EmbeddedSearcher(io.signal, limit);
  }
  const { keyIn, UrlSearcher } = await import('../evaluation/url-searcher.js');
  const { qdrantUrl, qdrantKeyFile, language, embeddingsUrl: url, embeddingsModel: model } = options;
  const dimension = options.embeddingsDimension;
  return new UrlSearcher({
    qdrantUrl,
    qdrantKey: qdrantKeyFile === undefined ? io.env.QDRANT_API_KEY : keyIn(qdrantKeyFile, io.cwd),
    language,
    embeddings:
      url !== undefined && model !== undefined && dimension !== undefined
        ? { url, model, dimension, key: io.env.EMBEDDINGS_API_KEY }
        : undefined,
    limit,
    signal: io.signal,
  });
}

async function searching(searcher: Searcher, { folder, without }: Measuring, io: Io): Promise<Searched> {
  const { StatusLine } = await import('../operator/status-line.js');
  const status = new StatusLine(io.stderr);
  const passageCount = folder.ids.size - [...(without ?? [])].filter((id) => folder.ids.has(id)).length;
  const questionCount = folder.questions.length;
  const input = { passages: folder.passages(without), passageCount, questions: folder.questions, questionCount };
  try {
    return await searcher.search(input, ({ passages, questions }) => {
      status.show(`${passages} of ${passageCount} passages, ${questions} of ${questionCount} questions`);
    });
  } finally {
    status.clear();
  }
}

/** Throws USAGE for options that would be of no effect. */
async function requireSense(options: MeasuringOptions): Promise<void> {
  const { RagdockError } = await import('../errors/problem.js');
  const refuse = (message: string) => {
    throw new RagdockError({ code: 'USAGE', message });
  };
  const { env, collection, qdrantUrl, qdrantKeyFile, embeddingsUrl, embeddingsModel, embeddingsDimension } = options;
  if (collection !== undefined && env === undefined) refuse('--collection needs --env');
  if (qdrantUrl === undefined && (qdrantKeyFile ?? embeddingsUrl) !== undefined) {
    refuse(`${qdrantKeyFile === undefined ? '--embeddings-url' : '--qdrant-key-file'} needs --qdrant-url`);
  }
  if (qdrantUrl !== undefined && !URL.canParse(qdrantUrl)) refuse(`--qdrant-url: ${qdrantUrl} is no URL`);
  if (embeddingsUrl !== undefined && !URL.canParse(embeddingsUrl))
    refuse(`--embeddings-url: ${embeddingsUrl} is no URL`);
  const given = [embeddingsUrl, embeddingsModel, embeddingsDimension].filter((one) => one !== undefined).length;
  if (given > 0 && given < 3) {
    refuse('--embeddings-url, --embeddings-model and --embeddings-dimension are given together or not at all');
  }
}
