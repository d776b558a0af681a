import { stat } from 'node:fs/promises';
import { FAILURES } from '../errors/catalogue.js';
import type { RagdockError } from '../errors/problem.js';
import { reasonOf } from '../operator/docker.js';
import { codeOf } from '../rag/failure.js';
import type { Unreachable } from './evidence.js';

/** What connections end with, and what that means. The first that fits counts. */
const MEANINGS: readonly (readonly [RegExp, string, string | undefined])[] = [
  [
    /EACCES|permission denied.*(?:socket|dial)/i,
    'The engine is there, and this user may not use its socket.',
    'Run as root or as a member of the socket’s group: `sudo usermod -aG docker "$USER"`, then log in again.',
  ],
  [
    /ENOENT/,
    'There is no socket: the engine is not installed, was never started, or listens elsewhere.',
    'Start it: `sudo systemctl start docker`. Where it listens elsewhere, `docker context ls` tells; set `host.docker` to that.',
  ],
  [
    /ECONNREFUSED|cannot connect to the docker daemon/i,
    'Nobody listens there: the engine does not run, or listens elsewhere.',
    undefined,
  ],
  [/host key verification failed/i, 'The machine is not the one that ssh knows under this name.', undefined],
  [
    /permission denied|too many authentication failures/i,
    'The machine lets nobody in with the keys that ssh has.',
    undefined,
  ],
  [/ENOTFOUND|EAI_AGAIN|could not resolve/i, 'No name server knows the machine.', undefined],
  [
    /no answer within|ETIMEDOUT|timed out|EHOSTUNREACH|ENETUNREACH/i,
    'Nothing answers: the machine is off or out of reach, a firewall swallows the connection, or the engine hangs.',
    undefined,
  ],
  [/certificate|TLS|SSL/i, 'The two sides do not trust each other’s certificates.', undefined],
];

/** Where no other remedy is known for a socket of this machine. */
const RESTART = '`sudo systemctl restart docker`; `sudo journalctl -u docker -n 50` says why it ended.';

/**
 * What an error of {@link connectEngine} shows.
 *
 * @param error with the code ENGINE_UNREACHABLE
 */
export async function seeUnreachable(address: string, error: RagdockError): Promise<Unreachable> {
  const [{ message, remedy }] = error.problems;
  const said = error.cause === undefined ? '' : `${codeOf(error.cause)} ${reasonOf(error.cause)}`;
  const [, meaning = 'What answers there is no Docker engine, or breaks off.', how] =
    MEANINGS.find(([words]) => words.test(said) || words.test(message)) ?? [];
  const isSocket = address.startsWith('unix:');
  return {
    evidence: [message, ...(isSocket ? [await describeSocket(decodeURIComponent(new URL(address).pathname))] : [])],
    meaning,
    remedy: (isSocket ? (how ?? RESTART) : remedy) ?? FAILURES.ENGINE_UNREACHABLE.remedy,
  };
}

/** As `ls -l` shows it. */
async function describeSocket(path: string): Promise<string> {
  try {
    const { mode, uid, gid } = await stat(path);
    const kind = (mode & 0o170000) === 0o140000 ? 'a socket' : 'no socket';
    return `ls -ln ${path}: ${kind}, mode ${(mode & 0o777).toString(8).padStart(4, '0')}, owner ${uid}:${gid}`;
  } catch (error) {
    return `ls -ln ${path}: ${codeOf(error)}`;
  }
}
