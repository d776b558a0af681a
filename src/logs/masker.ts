import type Docker from 'dockerode';
import { SECRETS_FOLDER } from '../../constructs/engines/docker/index.js';
import { maskSecrets } from '../apps/mask-secrets.js';
import { MaskEvent } from '../apps/operator/mask.js';
import { RagdockError } from '../errors/problem.js';
import { CommandQueue } from '../operator/command-queue.js';
import { reasonOf, statusOf } from '../operator/docker.js';
import { parseEvent } from '../operator/events.js';
import { newRun, runSession, type SessionOutcome, sweepSessions } from '../operator/session.js';
import { type SecretsAccess, secretsAccess } from '../operator/session-access.js';
import { planSession } from '../operator/session-plan.js';
import { type DescribedStack, deployedAppsImage, readInventory } from '../operator/stack.js';
import { matches } from '../secrets/fingerprint.js';
import type { KnownSecret } from '../secrets/inventory.js';

/** Longest life of a session that masks, in seconds: of a command that reads what is there, and of one that follows. */
const READING_SECONDS = 3600;
const FOLLOWING_SECONDS = 7 * 24 * 3600;

/** Takes the secrets out of lines. */
export interface Masker {
  mask(lines: readonly string[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface MaskerNeeds {
  /** What the lock file promises, with what the store of this machine holds. */
  readonly secrets: readonly KnownSecret[];
  /** Every value that this machine knows, old versions too. */
  readonly stored: () => readonly string[];
  /** Whether this machine deployed the environment: then what its store holds is in force, fingerprint or not. */
  readonly deployedHere: boolean;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Told why not every secret can be masked. @default - then there is no masker */
  readonly onRisk?: ((why: string) => void) | undefined;
}

/**
 * What masks the logs of an environment: this machine where it knows every value; where it does not, a session beside
 * the stack, to which the engine gives the secrets' volumes. The session sees lines and gives masked ones; no value
 * comes here.
 *
 * @throws RagdockError LOGS_UNMASKABLE when there are secrets that neither knows, and nobody accepts the risk
 */
export async function openMasker(docker: Docker, stack: DescribedStack, needs: MaskerNeeds): Promise<Masker> {
  const local = localMasker(needs.stored);
  const unknown = needs.secrets.filter((secret) => !isKnown(secret, needs.deployedHere)).map(({ name }) => name);
  if (unknown.length === 0) return local;
  const inside = await openInside(docker, stack, unknown, needs);
  if ('masker' in inside) return inOrder([local, inside.masker]);
  const message = `this machine does not know ${unknown.join(', ')}, and ${inside.why}`;
  if (!needs.onRisk) throw new RagdockError({ code: 'LOGS_UNMASKABLE', path: stack.environment.name, message });
  needs.onRisk(message);
  return local;
}

/** Whether a value is stored, and is the one that runs. Where machines make their own, another one may have deployed. */
export function isKnown({ value, fingerprint }: KnownSecret, deployedHere: boolean): boolean {
  if (value === undefined) return false;
  return fingerprint === undefined ? deployedHere : matches(value, fingerprint);
}

function localMasker(stored: () => readonly string[]): Masker {
  const known = new Set<string>();
  return {
    async mask(lines) {
      // Read anew: a value may be replaced while logs are followed.
      for (const value of stored()) known.add(value);
      return lines.map((line) => maskSecrets(line, [...known]));
    },
    close: async () => undefined,
  };
}

function inOrder(maskers: readonly Masker[]): Masker {
  return {
    async mask(lines) {
      let masked = lines;
      for (const masker of maskers) masked = await masker.mask(masked);
      return masked;
    },
    async close() {
      await Promise.all(maskers.map((masker) => masker.close()));
    },
  };
}

type Inside = { readonly masker: Masker } | { readonly why: string };

/** Sessions that know these secrets, or why there are none. */
async function openInside(
  docker: Docker,
  stack: DescribedStack,
  unknown: readonly string[],
  { follow, signal }: MaskerNeeds,
): Promise<Inside> {
  const { topology } = stack;
  const opened: MaskingSession[] = [];
  const giveUp = async (why: string): Promise<Inside> => {
    await Promise.all(opened.map((session) => session.close().catch(() => undefined)));
    return { why };
  };
  try {
    const inventory = await readInventory(docker);
    const accesses = secretsAccess(topology, unknown, inventory);
    const held = new Set(accesses.flatMap(({ secrets }) => secrets));
    const missing = unknown.filter((name) => !held.has(name));
    if (missing.length > 0) return await giveUp(`no volume of the engine holds ${missing.join(', ')}`);
    const image = deployedAppsImage(stack, inventory);
    await sweepSessions(docker, topology.environment);
    const deadlineSeconds = follow ? FOLLOWING_SECONDS : READING_SECONDS;
    for (const access of accesses) {
      const session = new MaskingSession(docker, stack, access, { image, deadlineSeconds, signal });
      opened.push(session);
      const names = await session.ready;
      const unread = access.secrets.filter((name) => !names.includes(name));
      if (unread.length > 0) return await giveUp(`the volumes of the engine hold no value of ${unread.join(', ')}`);
    }
    return { masker: inOrder(opened) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RagdockError) return giveUp(error.problems.map(({ message }) => message).join('; '));
    if (statusOf(error) !== undefined) return giveUp(`the engine refused a session that masks: ${reasonOf(error)}`);
    await giveUp('');
    throw error;
  }
}

/** One container of the deployed apps that masks what it is sent. */
class MaskingSession implements Masker {
  /** Names of the secrets that it knows. */
  readonly ready: Promise<readonly string[]>;
  readonly #queue = new CommandQueue();
  readonly #replies = new Map<number, (lines: readonly string[]) => void>();
  readonly #ended: Promise<SessionOutcome>;
  readonly #signal: AbortSignal;
  #asked = 0;
  #closed = false;

  constructor(
    docker: Docker,
    { topology }: DescribedStack,
    { access }: SecretsAccess,
    { image, deadlineSeconds, signal }: { image: string; deadlineSeconds: number; signal: AbortSignal },
  ) {
    this.#signal = signal;
    const needs = {
      purpose: 'mask',
      command: ['operator-mask', SECRETS_FOLDER],
      connections: [],
      deadlineSeconds,
      memoryMiB: 128,
    } as const;
    let isReady: (names: readonly string[]) => void = () => undefined;
    const ready = new Promise<readonly string[]>((resolve) => {
      isReady = resolve;
    });
    this.#ended = runSession(docker, planSession(topology, needs, access, { image, run: newRun() }), {
      input: this.#queue,
      signal,
      deadlineSeconds,
      onLine: (line) => {
        const event = parseEvent(MaskEvent, line);
        if (event.event === 'ready') isReady(event.secrets);
        else this.#replies.get(event.id)?.(event.lines);
      },
    });
    this.#ended.catch(() => undefined);
    this.ready = this.#orEnd(ready);
  }

  async mask(lines: readonly string[]): Promise<readonly string[]> {
    const id = this.#asked++;
    const reply = new Promise<readonly string[]>((resolve) => this.#replies.set(id, resolve));
    this.#queue.push({ id, lines });
    try {
      const masked = await this.#orEnd(reply);
      // Fewer lines would be somebody else's.
      if (masked.length !== lines.length) throw brokenOff(`${masked.length} lines came for ${lines.length}`);
      return masked;
    } finally {
      this.#replies.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.end();
    await this.#ended.catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
  }

  #orEnd<T>(reply: Promise<T>): Promise<T> {
    const ended = this.#ended.then(({ exitCode, diagnostics }): never => {
      if (this.#closed) throw brokenOff('it was closed');
      throw brokenOff(`it ended with ${exitCode}${diagnostics === '' ? '' : `: ${diagnostics}`}`);
    });
    const first = Promise.race([reply, ended]);
    first.catch(() => undefined);
    return first;
  }
}

function brokenOff(why: string): RagdockError {
  return new RagdockError({ code: 'SESSION_FAILED', message: `the session that masks broke off: ${why}` });
}
