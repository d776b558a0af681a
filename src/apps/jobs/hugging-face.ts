import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fetch } from 'undici';
import { z } from 'zod';
import { codeOf } from '../../rag/failure.js';
import { retry } from '../../rag/retry.js';
import { readSettings, readVariables } from '../settings-file.js';
import { DownloadRefused, describeDownload, download, downloadAgent, refusalOf, sha256Of } from './download.js';
import { JobFailure, type Report } from './job.js';
import { HUGGING_FACE_VARIABLES, HuggingFaceSettings, JOB_SETTINGS_VARIABLE } from './settings.js';

/** How long the list of files is tried to be had, in milliseconds: a host without a way out should not wait long. */
const LIST_MS = 120_000;

/** Longest list of files, in milliseconds. */
const LIST_TIMEOUT_MS = 60_000;

/** What a repository holds at one commit. A file's content is known by its SHA-256, or as git knows it. */
const Listing = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string().regex(/^(?!\/)(?!(.*\/)?\.\.?(\/|$))[^\0\\]+$/),
      blobId: z.string().regex(/^[0-9a-f]{40}$/),
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
    }),
  ),
});
type Listing = z.output<typeof Listing>;
type Sibling = Listing['siblings'][number];

/** The command `job-hugging-face`. */
export async function runHuggingFace(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const names = { settings: JOB_SETTINGS_VARIABLE, ...HUGGING_FACE_VARIABLES };
  const { settings, tokenFile } = readVariables(environment, names, { settings: 'path', tokenFile: 'optional-path' });
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  await provideRepository(readSettings(settings, HuggingFaceSettings), token, report);
}

/**
 * Puts the files of a repository into the cache of Hugging Face at `home`, as its own clients lay it out and as servers read
 * it offline. A marker tells a complete download from an interrupted one, which the cache itself does not: it holds
 * the path of the files from `home` on.
 *
 * @throws JobFailure when the repository cannot be had
 */
export async function provideRepository(
  settings: HuggingFaceSettings,
  token: string | undefined,
  report: Report,
): Promise<void> {
  const { repository, revision, home } = settings;
  const name = `${repository} at ${revision}`;
  const marker = join(home, '.ragdock', `${flat(repository)}@${flat(revision)}`);
  if (await isComplete(home, marker)) {
    report(`${name} is there`);
    return;
  }
  const headers: Readonly<Record<string, string>> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const folder = await fill(settings, headers, report);
    await mkdir(dirname(marker), { recursive: true });
    await replace(marker, relative(home, folder));
  } catch (error) {
    const check =
      'check model.name and model.revision, whether the repository wants a token, and the way out of this host';
    throw new JobFailure(`${name} was not downloaded: ${describeDownload(error)}; ${check}`, { cause: error });
  }
  report(`${name} was downloaded`);
}

async function isComplete(home: string, marker: string): Promise<boolean> {
  const folder = await readFile(marker, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  return folder !== undefined && (await stat(join(home, folder.trim())).catch(() => undefined))?.isDirectory() === true;
}

/** The folder with the files of the commit that the revision names now. */
async function fill(
  settings: HuggingFaceSettings,
  headers: Readonly<Record<string, string>>,
  report: Report,
): Promise<string> {
  const { endpoint, repository, revision, home, deadlineSeconds } = settings;
  const end = performance.now() + deadlineSeconds * 1000;
  const { sha, siblings } = await list(settings, headers, report);
  const cache = join(home, 'hub', `models--${flat(repository)}`);
  const folder = join(cache, 'snapshots', sha);
  await mkdir(join(cache, 'blobs'), { recursive: true });
  const files = wantedOf(siblings);
  for (const [index, sibling] of files.entries()) {
    const blob = join(cache, 'blobs', sibling.lfs?.sha256 ?? sibling.blobId);
    if (!(await exists(blob))) {
      report(`file ${index + 1} of ${files.length}: ${sibling.rfilename}`);
      const url = `${endpoint}/${repository}/resolve/${sha}/${sibling.rfilename.split('/').map(encodeURIComponent).join('/')}`;
      const left = Math.max(1, (end - performance.now()) / 1000);
      const fault = (part: string) => faultOf(part, sibling);
      await download({ url, file: blob, headers, fault, deadlineSeconds: left }, report);
    }
    await link(join(folder, sibling.rfilename), blob);
  }
  const ref = join(cache, 'refs', revision);
  await mkdir(dirname(ref), { recursive: true });
  await replace(ref, sha);
  return folder;
}

async function list(
  { endpoint, repository, revision, deadlineSeconds }: HuggingFaceSettings,
  headers: Readonly<Record<string, string>>,
  report: Report,
): Promise<Listing> {
  const url = `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const agent = downloadAgent();
  const attempt = async () => {
    const response = await fetch(url, { dispatcher: agent, headers, signal: AbortSignal.timeout(LIST_TIMEOUT_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      throw refusalOf(response.status);
    }
    const listing = Listing.safeParse(await response.json());
    if (!listing.success) throw new DownloadRefused(`${url} gave no list of files`);
    return listing.data;
  };
  try {
    return await retry(attempt, {
      deadlineMs: Math.min(deadlineSeconds * 1000, LIST_MS),
      maxWaitMs: 10_000,
      isTransient: (error) => !(error instanceof DownloadRefused),
      onRetry: (error) => report(`the list of files did not come: ${describeDownload(error)}; trying again`),
    });
  } finally {
    await agent.destroy();
  }
}

/** As the servers themselves choose: the other formats hold the same weights once more. */
function wantedOf(siblings: readonly Sibling[]): readonly Sibling[] {
  const safe = siblings.some(({ rfilename }) => rfilename.endsWith('.safetensors'));
  const unwanted = safe
    ? /\.(bin|pt|pth|gguf|onnx|onnx_data|h5|msgpack|ot)$/
    : /\.(gguf|onnx|onnx_data|h5|msgpack|ot)$/;
  return siblings.filter(({ rfilename }) => !unwanted.test(rfilename) && !/^(original|openvino)\//.test(rfilename));
}

async function faultOf(part: string, { rfilename, blobId, lfs }: Sibling): Promise<string | undefined> {
  const [actual, wanted] = lfs ? [await sha256Of(part), lfs.sha256] : [await gitBlobOf(part), blobId];
  return actual === wanted ? undefined : `${rfilename} has the digest ${actual}, not ${wanted}`;
}

/** The name that git gives to a file's content. */
async function gitBlobOf(file: string): Promise<string> {
  const hash = createHash('sha1').update(`blob ${(await stat(file)).size}\0`);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function link(path: string, blob: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(relative(dirname(path), blob), path);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** All of it or nothing, whatever interrupts. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}

const flat = (text: string): string => text.replaceAll('/', '--');
