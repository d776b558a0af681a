import { request } from 'undici';
import { codeOf } from '../../rag/failure.js';
import { retry } from '../../rag/retry.js';
import { every } from '../secret-file.js';
import { readSettings, readVariables } from '../settings-file.js';
import { JobFailure, type Report } from './job.js';
import { GRAFANA_ADMIN_VARIABLES, GrafanaAdminSettings, JOB_SETTINGS_VARIABLE } from './settings.js';

const USER = 'admin';
const REQUEST_TIMEOUT_MS = 10_000;

/** Grafana shuts a name out for five minutes after five wrong passwords within five minutes, the right one too. */
const MOST_TRIES = 4;

export interface GrafanaAccess {
  /** `http://host:port`. */
  readonly url: string;
  /** Path of the administrator's password, without version. */
  readonly passwordFile: string;
}

/** An answer that another attempt may change: the server still starts, or has lost its database. */
class NotReady extends Error {
  override readonly name = 'NotReady';
}

/** The command `job-grafana-admin`. */
export async function runGrafanaAdmin(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const { settings, grafanaUrl, passwordFile } = readVariables(
    environment,
    { settings: JOB_SETTINGS_VARIABLE, ...GRAFANA_ADMIN_VARIABLES },
    { settings: 'path', grafanaUrl: 'http-url', passwordFile: 'path' },
  );
  await updateGrafanaAdmin(readSettings(settings, GrafanaAdminSettings), { url: grafanaUrl, passwordFile }, report);
}

/**
 * Gives the administrator the newest password of the file. It logs in with the newest one that Grafana takes, of the four
 * newest that differ: the one before the newest, or an older one after rotations whose deploys did not get so far. A
 * second run changes nothing. Waits for a server that is still starting.
 *
 * @throws JobFailure when Grafana takes none of them, and when the time is over
 */
export async function updateGrafanaAdmin(
  { deadlineSeconds }: GrafanaAdminSettings,
  { url, passwordFile }: GrafanaAccess,
  report: Report,
): Promise<void> {
  const versions = [...new Set(await every(passwordFile))];
  const candidates = versions.slice(0, MOST_TRIES);
  const [newest = ''] = candidates;
  // Over all attempts: a wrong password that is tried again counts again.
  const refused = new Set<string>();
  let wrong = 0;
  const attempt = async (): Promise<void> => {
    for (const password of candidates) {
      if (refused.has(password)) continue;
      if (!(await logsIn(url, password))) {
        refused.add(password);
        wrong += 1;
        continue;
      }
      if (password === newest) return report(`${USER} has the newest password of its file`);
      try {
        await changePassword(url, password, newest);
      } catch (error) {
        // Where the answer was lost, and not a refusal, the newest may be the right one from here on.
        if (isLost(error) && wrong < MOST_TRIES) refused.delete(newest);
        throw error;
      }
      return report(`${USER} was given the newest password of its file`);
    }
    const tried = versions.length > candidates.length ? `the ${candidates.length} newest` : 'all';
    throw new JobFailure(
      `Grafana refuses the password of ${USER} in ${passwordFile}, ${tried} of ${versions.length} tried; give it the ` +
        'newest in its container with `grafana cli admin reset-admin-password`, wait five minutes, and deploy again',
    );
  };
  try {
    await retry(attempt, {
      deadlineMs: deadlineSeconds * 1000,
      isTransient,
      onRetry: (error) => report(`waiting for Grafana: ${describe(error)}`),
    });
  } catch (error) {
    if (error instanceof JobFailure) throw error;
    const cause = isTransient(error) ? `no success within ${deadlineSeconds} s: ` : '';
    throw new JobFailure(`Grafana was not prepared: ${cause}${describe(error)}`, { cause: error });
  }
}

async function logsIn(url: string, password: string): Promise<boolean> {
  const status = await ask(`${url}/api/user`, 'GET', password);
  if (status === 200) return true;
  if (status === 401) return false;
  throw unexpected(status);
}

async function changePassword(url: string, oldPassword: string, newPassword: string): Promise<void> {
  const body = { oldPassword, newPassword, confirmNew: newPassword };
  const status = await ask(`${url}/api/user/password`, 'PUT', oldPassword, body);
  if (status !== 200) throw unexpected(status);
}

async function ask(url: string, method: 'GET' | 'PUT', password: string, body?: object): Promise<number> {
  const { statusCode, body: answer } = await request(url, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  await answer.dump();
  return statusCode;
}

function unexpected(status: number): Error {
  return status >= 500 || status === 429 ? new NotReady(`status ${status}`) : new Error(`status ${status}`);
}

function isTransient(error: unknown): boolean {
  return error instanceof NotReady || isLost(error);
}

/** Whether no answer came. */
function isLost(error: unknown): boolean {
  return (
    (error instanceof Error && error.name === 'TimeoutError') ||
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_.+)$/.test(
      codeOf(error),
    )
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || codeOf(error) : String(error);
}
