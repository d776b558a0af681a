import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ApiLimits } from '../../config/schema.js';
import { buildApp, type RagApi } from '../apps/rag-api/app.js';
import type { RagApiSettings } from '../apps/rag-api/settings.js';
import { buildWebBot } from '../apps/web-bot/app.js';
import { readAssets } from '../apps/web-bot/assets.js';
import { limitsFor } from '../apps/web-bot/limits.js';
import { HttpRagApi } from '../apps/web-bot/rag-api.js';
import { ExtractiveLlm } from '../rag/llm/extractive.js';
import { OpenAiLlm } from '../rag/llm/openai.js';
import type { Credential, Llm } from '../rag/ports.js';
import { type DataFolder, holdDataFolder, LOG_FILE } from './data-folder.js';
import type { Database } from './database.js';
import { Front } from './front.js';
import { EmbeddedHistory } from './history.js';
import { fileLogger, type Notice } from './log.js';
import type { ModelServer } from './model-server.js';
import { EmbeddedPassages } from './passages.js';
import { apiSettings, botSettings, COLLECTIONS } from './settings.js';

/** Quotations need no context; this is the default of a model that is deployed. */
const EXTRACTIVE = { model: 'extractive', contextTokens: 8192 } as const;

export interface EmbeddedOptions {
  /** Absolute path of the folder that keeps everything. */
  readonly dataFolder: string;
  /** Port on 127.0.0.1; 0 takes any that is free. */
  readonly port: number;
  /** Courses that can be asked about, beside those that already have material. */
  readonly courses: readonly string[];
  readonly limits: ApiLimits;
  /** @default - answers quote the material */
  readonly modelServer?: ModelServer | undefined;
  /** Told of warnings and errors in the log. */
  readonly onNotice: (notice: Notice) => void;
}

interface Running {
  readonly database: Database;
  readonly api: RagApi;
  readonly bot: Awaited<ReturnType<typeof buildWebBot>>;
  readonly botApi: HttpRagApi;
  readonly front: Front;
}

/** The whole stack in this process: RAG API and web bot as they are deployed, on stores and a model of this process. */
export class Embedded {
  readonly #running: Running;

  private constructor(
    readonly folder: DataFolder,
    readonly history: EmbeddedHistory,
    readonly passages: EmbeddedPassages,
    readonly llm: Llm,
    running: Running,
  ) {
    this.#running = running;
  }

  /**
   * Resolves when the port answers. Exchanges whose process died before they ended are marked as aborted.
   *
   * @throws RagdockError as `holdDataFolder` and `DataFolder.open` do; PORT_IN_USE. Nothing is left running or held
   */
  static async start(options: EmbeddedOptions): Promise<Embedded> {
    const opened: (() => unknown)[] = [];
    try {
      const folder = holdDataFolder(options.dataFolder);
      opened.push(() => folder.release());
      // Before the database, whose making takes a while.
      const front = await Front.listen(options.port);
      opened.push(() => front.close());
      const database = await folder.open();
      opened.push(() => database.close());
      return await Embedded.#assemble(options, folder, front, database);
    } catch (error) {
      // The error that keeps it from starting is the one to tell.
      await closeInOrder(opened.reverse()).catch(() => undefined);
      throw error;
    }
  }

  static async #assemble(
    options: EmbeddedOptions,
    folder: DataFolder,
    front: Front,
    database: Database,
  ): Promise<Embedded> {
    const { limits, modelServer, onNotice } = options;
    const history = new EmbeddedHistory(database);
    await history.abandon(0);
    const passages = await EmbeddedPassages.open(database, COLLECTIONS);
    const courses = [...new Set([...options.courses, ...passages.courses])];
    const { model, contextTokens } = modelServer ?? EXTRACTIVE;
    const settings = apiSettings(courses, limits, { model, contextTokens });
    const llm = modelServer ? openAi(modelServer, settings) : new ExtractiveLlm();
    const logger = fileLogger(join(folder.path, LOG_FILE), onNotice);
    const api = buildApp({ settings, retrieval: passages, history, llm, apiKeys: 'open', logger });
    const ofBot = botSettings(courses, limits);
    const botLimits = limitsFor(ofBot);
    const botApi = new HttpRagApi(front.url, NO_KEY, botLimits.api);
    const assets = await readAssets();
    // Tokens end with the process; pages fetch new ones.
    const sessionKey = randomBytes(32).toString('base64url');
    const sessionKeys = async () => [sessionKey];
    const bot = await buildWebBot({ settings: ofBot, api: botApi, assets, sessionKeys, limits: botLimits, logger });

    await Promise.all([api.app.ready(), bot.ready()]);
    const botPaths = new Set([...assets.keys(), '/config.json', '/session']);
    front.serve({ api: api.app, bot, botPaths, metrics: api.metrics.registry });
    return new Embedded(folder, history, passages, llm, { api, bot, botApi, front, database });
  }

  /** Base address of everything, without a slash at its end. */
  get url(): string {
    return this.#running.front.url;
  }

  /**
   * Takes no more questions, gives running answers `graceMs` to end, and resolves when every exchange is saved and the
   * folder is free.
   */
  async stop(graceMs: number): Promise<void> {
    const { api, bot, botApi, front, database } = this.#running;
    // The bot waits for its answers, which the API ends.
    await closeInOrder([
      () => Promise.all([bot.close(), api.stop(graceMs)]),
      () => front.close(),
      () => Promise.all([botApi.close(), this.llm.close()]),
      () => database.close(),
      () => this.folder.release(),
    ]);
  }
}

/** Every step, whatever becomes of those before it; then the first error. */
async function closeInOrder(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

function openAi({ url, model, key }: ModelServer, { llm, limits }: RagApiSettings): OpenAiLlm {
  return new OpenAiLlm({
    url,
    model,
    credential: key === undefined ? undefined : fixed(key),
    sampling: llm.sampling,
    firstTokenMs: limits.firstTokenSeconds * 1000,
    idleMs: limits.idleSeconds * 1000,
  });
}

/** A key that is never exchanged while the process runs. */
function fixed(value: string): Credential {
  return { current: () => value, refresh: async () => value };
}

/** The API of this process asks for none. */
const NO_KEY = fixed('none');
