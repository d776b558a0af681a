import type Docker from 'dockerode';
import { lastLines } from '../smoke/logs.js';

/** Lines that are read of one log; a Python traceback with its causes has some hundred. */
const TAIL = 400;

/**
 * The last lines that a container wrote since its last start, its secrets still in them; none when it is not there. One
 * that said nothing yet has its reason in the run before: then the last lines of all runs are given.
 *
 * @param startedAt when it was started last, ISO 8601
 */
export async function lastLog(docker: Docker, container: string, startedAt: string): Promise<readonly string[]> {
  const since = Math.floor(Date.parse(startedAt) / 1000);
  const ofThisRun = since > 0 ? await lastLines(docker, container, { tail: TAIL, since }) : [];
  return ofThisRun.length > 0 ? ofThisRun : lastLines(docker, container, { tail: TAIL });
}
