import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Problem, RagdockError, throwProblems } from '../errors/problem.js';
import type { ModelFile, ModelFolderDestination } from './model-import.js';

/** A file of a model. */
export interface FolderFile {
  /** Relative to the folder, with `/` between its parts. */
  readonly name: string;
  /** Where it is, links followed. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** Longest header that a file of weights may have, in bytes; the format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

const COMMIT = /^[0-9a-f]{40}$/;

/** As the server chooses: these hold the same weights once more where there are safetensors. */
const OTHER_WEIGHTS = /\.(bin|pt|pth)$/;
const NEVER_READ = /(^|\/)original\/|\.(gguf|onnx)$/;
const TOKENIZERS = ['tokenizer.json', 'tokenizer.model', 'tokenizer_config.json', 'tekken.json', 'vocab.json'];

/**
 * The files of a model that its server will read, sorted by name. Hidden ones are left out: they belong to git or to
 * the client that downloaded the rest.
 *
 * @throws RagdockError FILE_UNREADABLE, or MODEL_FOLDER_INCOMPLETE with everything that is missing
 */
export async function readModelFolder(
  { path, shown }: ModelFile,
  { revision }: Pick<ModelFolderDestination, 'revision'>,
): Promise<readonly FolderFile[]> {
  const stats = await stat(path).catch((cause: Error) => {
    throw new RagdockError({ code: 'FILE_UNREADABLE', file: shown, message: cause.message }, { cause });
  });
  if (!stats.isDirectory()) {
    const message = 'is not a folder; this model has many files';
    throw new RagdockError({ code: 'FILE_UNREADABLE', file: shown, message });
  }
  const all = await filesBelow(path, '', shown);
  const hasSafetensors = all.some(({ name }) => name.endsWith('.safetensors'));
  const files = all
    .filter(({ name }) => !NEVER_READ.test(name) && !(hasSafetensors && OTHER_WEIGHTS.test(name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  throwProblems([...(await problemsOf(files, shown)), ...(await commitProblems(path, shown, revision))]);
  return files;
}

async function filesBelow(root: string, folder: string, shown: string): Promise<FolderFile[]> {
  const files: FolderFile[] = [];
  for (const entry of await readdir(join(root, folder))) {
    if (entry.startsWith('.')) continue;
    const name = folder === '' ? entry : `${folder}/${entry}`;
    const path = join(root, name);
    // A cache of Hugging Face holds links to its files.
    const stats = await stat(path).catch((cause: Error) => {
      throw new RagdockError({ code: 'FILE_UNREADABLE', file: join(shown, name), message: cause.message }, { cause });
    });
    if (stats.isDirectory()) files.push(...(await filesBelow(root, name, shown)));
    else if (stats.isFile()) files.push({ name, path, size: stats.size });
  }
  return files;
}

async function problemsOf(files: readonly FolderFile[], shown: string): Promise<readonly Problem[]> {
  const named = new Map(files.map((file) => [file.name, file]));
  const incomplete = (message: string, name?: string): Problem => ({
    code: 'MODEL_FOLDER_INCOMPLETE',
    file: name === undefined ? shown : join(shown, name),
    message,
  });
  const problems: Problem[] = [];
  const config = named.get('config.json');
  if (!config) problems.push(incomplete('has no config.json; name the folder that the model’s files are in'));
  else if ((await jsonOf(config)) === undefined) problems.push(incomplete('is no JSON object', config.name));
  if (!TOKENIZERS.some((name) => named.has(name)))
    problems.push(incomplete(`has no tokenizer, none of ${TOKENIZERS.join(', ')}`));
  const weights = files.filter(({ name }) => name.endsWith('.safetensors'));
  if (weights.length === 0 && !files.some(({ name }) => OTHER_WEIGHTS.test(name)))
    problems.push(incomplete('has no weights, no file that ends in .safetensors'));
  for (const file of weights) {
    const fault = await weightsFault(file);
    if (fault !== undefined) problems.push(incomplete(fault, file.name));
  }
  for (const index of files.filter(({ name }) => name.endsWith('.safetensors.index.json'))) {
    const { weight_map: map = {} } = ((await jsonOf(index)) ?? {}) as { weight_map?: Record<string, string> };
    const missing = [...new Set(Object.values(map))].filter((name) => !named.has(name)).sort();
    if (missing.length > 0)
      problems.push(incomplete(`names weights that are not there: ${missing.join(', ')}`, index.name));
  }
  return problems;
}

async function jsonOf({ path }: FolderFile): Promise<object | undefined> {
  const text = await readFile(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Eight bytes with the length of a JSON header, the header, and as many bytes as it names: a copy that was cut off shows. */
async function weightsFault({ path, size }: FolderFile): Promise<string | undefined> {
  const file = await open(path);
  try {
    const length = Buffer.alloc(8);
    await file.read(length, 0, 8, 0);
    const headerBytes = Number(length.readBigUInt64LE());
    if (size < 8 || headerBytes > Math.min(MAX_HEADER_BYTES, size - 8)) return 'is no whole safetensors file';
    const header = Buffer.alloc(headerBytes);
    await file.read(header, 0, headerBytes, 8);
    const expected = 8 + headerBytes + dataBytes(header.toString('utf8'));
    return expected === size ? undefined : `has ${size} bytes, its header names ${expected}`;
  } catch {
    return 'is no safetensors file';
  } finally {
    await file.close();
  }
}

/** @throws SyntaxError or TypeError for what is no header */
function dataBytes(header: string): number {
  const ends = Object.entries(JSON.parse(header) as Record<string, { data_offsets: readonly [number, number] }>)
    .filter(([name]) => name !== '__metadata__')
    .map(([, tensor]) => tensor.data_offsets[1]);
  return Math.max(0, ...ends);
}

/** A snapshot of a cache of Hugging Face is named by its commit. */
async function commitProblems(path: string, shown: string, revision: string): Promise<readonly Problem[]> {
  const commit = basename(await realpath(path));
  if (!COMMIT.test(commit) || !COMMIT.test(revision) || commit === revision) return [];
  const message = `is a snapshot of the commit ${commit}, the environment names ${revision}`;
  return [{ code: 'MODEL_FOLDER_INCOMPLETE', file: shown, message, remedy: 'Use that commit, or change `revision`.' }];
}

export const isCommit = (revision: string): boolean => COMMIT.test(revision);
