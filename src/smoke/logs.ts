import type Docker from 'dockerode';
import { demultiplex } from '../operator/demultiplex.js';
import { statusOf } from '../operator/docker.js';

const LINES = 10;

/** The last lines that a container wrote, whole and with their secrets still in them; none when it is not there. */
export async function lastLines(docker: Docker, container: string): Promise<readonly string[]> {
  let raw: Buffer;
  try {
    raw = await docker.getContainer(container).logs({ stdout: true, stderr: true, tail: LINES, follow: false });
  } catch (error) {
    // 404: it is gone; 409: it is on its way.
    if ([404, 409].includes(statusOf(error) ?? 0)) return [];
    throw error;
  }
  const pieces: Buffer[] = [];
  for await (const { data } of demultiplex([raw])) pieces.push(data);
  return Buffer.concat(pieces)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-LINES);
}
