import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { codeOf } from '../../rag/failure.js';
import { readSettings, readVariables } from '../settings-file.js';
import { describeDownload, download, sha256Of } from './download.js';
import { JobFailure, type Report } from './job.js';
import { JOB_SETTINGS_VARIABLE, ModelSettings } from './settings.js';

/** Readable for every user: the server that loads the model is not the one that downloads it. */
const MODE = 0o644;

/** The command `job-model`. */
export async function runModel(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const { settings } = readVariables(environment, { settings: JOB_SETTINGS_VARIABLE }, { settings: 'path' });
  await provideModel(readSettings(settings, ModelSettings), report);
}

/**
 * Puts the model's file in its place and proves its SHA-256: what is there already is checked, what is missing is
 * downloaded, with what an interrupted download left as a start.
 */
export async function provideModel(settings: ModelSettings, report: Report): Promise<void> {
  const { url, file, sha256, deadlineSeconds } = settings;
  if (await isVerified(settings, report)) {
    report(`${file} is there and has the SHA-256 ${sha256}`);
    return;
  }
  const fault = async (part: string): Promise<string | undefined> => {
    const actual = await sha256Of(part);
    return actual === sha256 ? undefined : `what was downloaded has the SHA-256 ${actual}, not ${sha256}`;
  };
  try {
    await download({ url, file, fault, deadlineSeconds }, report);
  } catch (error) {
    throw new JobFailure(
      `the model ${url} was not put into ${file}: ${describeDownload(error)}; check the address, or bring the file in from ` +
        'this machine with `ragdock model import`',
      { cause: error },
    );
  }
  await seal(settings);
  report(`${file} was downloaded and has the SHA-256 ${sha256}`);
}

async function isVerified({ file, sha256 }: ModelSettings, report: Report): Promise<boolean> {
  const found = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return false;
  // Gigabytes are read once: size and time of a file that was proved stand for its content.
  const fingerprint = JSON.stringify({ sha256, size: found.size, modified: found.mtimeMs });
  if ((await readFile(sidecarOf(file), 'utf8').catch(() => '')) === fingerprint) return true;
  const actual = await sha256Of(file);
  if (actual !== sha256) {
    report(`${file} has the SHA-256 ${actual}, not ${sha256}; it will be replaced`);
    return false;
  }
  await seal({ file, sha256 });
  return true;
}

/** Remembers that the file was proved, and lets everybody read it. */
async function seal({ file, sha256 }: Pick<ModelSettings, 'file' | 'sha256'>): Promise<void> {
  const found = await stat(file);
  if ((found.mode & 0o777) !== MODE) await chmod(file, MODE);
  await writeFile(sidecarOf(file), JSON.stringify({ sha256, size: found.size, modified: found.mtimeMs }));
}

function sidecarOf(file: string): string {
  return `${file}.verified`;
}
