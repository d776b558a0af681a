import { readFileSync } from 'node:fs';
import { request } from 'undici';
import { z } from 'zod';
import { RagdockError } from '../errors/problem.js';
import { printable } from '../operator/printable.js';
import { codeOf } from '../rag/failure.js';
import { LEAST_CONTEXT_TOKENS } from './least.js';

/** Longest wait for the list of models, in milliseconds. */
const ANSWER_MS = 10_000;

/** Tokens of prompt and answer that every model in use takes; for servers that do not say. */
const USUAL_CONTEXT = 4096;

/** The list that servers of the OpenAI protocol give. vLLM says the context of each model, others do not. */
const Models = z.object({
  data: z.array(z.object({ id: z.string(), max_model_len: z.int().positive().nullish() })),
});

export interface ModelServerOptions {
  /** Base address of a server of the OpenAI protocol, with or without `/v1`. */
  readonly url: string;
  /** @default - the first one that the server lists */
  readonly model?: string | undefined;
  /** File with the key, which must not be on a command line. @default - no key */
  readonly keyFile?: string | undefined;
  /** Tokens of prompt and answer together. @default - what the server says, or 4096 */
  readonly contextTokens?: number | undefined;
}

/** A model server that answered. */
export interface ModelServer {
  readonly url: string;
  readonly model: string;
  readonly contextTokens: number;
  readonly key: string | undefined;
}

/**
 * Asks a model server what it serves.
 *
 * @throws RagdockError LLM_UNREACHABLE when it does not answer as one; USAGE for an address that is none, a model that it
 *   does not list, or a key file that cannot be read
 */
export async function findModel(options: ModelServerOptions, signal: AbortSignal): Promise<ModelServer> {
  const url = baseOf(options.url);
  const key = options.keyFile === undefined ? undefined : readKey(options.keyFile);
  const models = await listModels(url, key, signal);
  const [first] = models;
  if (!first) throw unreachable(url, 'it lists no model');
  const chosen = options.model === undefined ? first : models.find(({ id }) => id === options.model);
  if (!chosen) {
    throw new RagdockError({
      code: 'USAGE',
      path: '--llm-model',
      message: `${url} has no model '${options.model}'`,
      // What a server calls its models is not ours, and may hold what a terminal obeys.
      remedy: printable(`It lists: ${models.map(({ id }) => id).join(', ')}.`),
    });
  }
  const contextTokens = options.contextTokens ?? chosen.max_model_len ?? USUAL_CONTEXT;
  if (contextTokens < LEAST_CONTEXT_TOKENS) {
    const message = `its context is ${contextTokens} tokens; an answer with its material needs ${LEAST_CONTEXT_TOKENS}`;
    throw new RagdockError({
      code: 'USAGE',
      path: '--llm-url',
      message,
      remedy: 'Choose a model with a longer context.',
    });
  }
  return { url, model: chosen.id, contextTokens, key };
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  // Looked at first, because the other refusals say the address.
  if (parsed && (parsed.username !== '' || parsed.password !== '')) {
    throw new RagdockError({
      code: 'USAGE',
      path: '--llm-url',
      message: 'the address holds a user or a password, which every user of the machine can read on a command line',
      remedy: 'Give the key with `--llm-key-file`.',
    });
  }
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    const message = `expected an address like http://host:port, got '${url}'`;
    throw new RagdockError({ code: 'USAGE', path: '--llm-url', message });
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    const message = 'the address has a part behind ? or #, which a base address has not';
    throw new RagdockError({ code: 'USAGE', path: '--llm-url', message });
  }
  return url.replace(/\/+$/, '').replace(/\/v1$/, '');
}

function readKey(file: string): string {
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new RagdockError({ code: 'FILE_UNREADABLE', file, message: (cause as Error).message }, { cause });
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    const message =
      key === '' ? 'the file is empty' : 'the file holds more than one line, or characters that no key has';
    throw new RagdockError({ code: 'USAGE', file, path: '--llm-key-file', message });
  }
  return key;
}

async function listModels(
  url: string,
  key: string | undefined,
  signal: AbortSignal,
): Promise<z.output<typeof Models>['data']> {
  let status: number;
  let text: string;
  try {
    const response = await request(`${url}/v1/models`, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    status = response.statusCode;
    text = await response.body.text();
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why = codeOf(cause) === 'TimeoutError' ? `no answer within ${ANSWER_MS / 1000} s` : codeOf(cause);
    throw unreachable(url, why, cause);
  }
  if (status === 401 || status === 403) {
    const what = key === undefined ? 'it wants a key (`--llm-key-file`)' : 'it refuses the key';
    throw unreachable(url, `${status}: ${what}`);
  }
  const parsed = status === 200 ? Models.safeParse(parseJson(text)) : undefined;
  if (!parsed?.success) throw unreachable(url, `GET /v1/models gave ${status} and no list of models`);
  return parsed.data.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(url: string, why: string, cause?: unknown): RagdockError {
  return new RagdockError({ code: 'LLM_UNREACHABLE', path: '--llm-url', message: `${url}: ${why}` }, { cause });
}
