import { resolve } from 'node:path';
import type { Environment } from '../../../config/environment.js';
import { RagdockError, throwProblems } from '../../errors/problem.js';
import type { Fetched } from '../../secrets/command-store.js';
import type { KnownSecret } from '../../secrets/inventory.js';
import type { SecretStore } from '../../secrets/store.js';
import { Interrupted } from '../exit.js';
import type { Io } from '../io.js';
import { comesFromSops, fetchFromSops } from './secrets-sops.js';

/** An environment's secrets, as the lock file and the files of this machine know them. */
export interface Opened {
  readonly environment: Environment;
  /** Where Terraform reads values, whatever store they come from. */
  readonly store: SecretStore;
  readonly secrets: readonly KnownSecret[];
  /** Writes what the store was given, where that is a step of its own. */
  readonly save?: () => Promise<void>;
}

/** Whether values come from a command, and files of this machine are copies of them. */
export const comesFromCommand = ({ environment }: Opened): boolean => environment.settings.secrets.store === 'command';

/** Refuse a lock file that lacks secrets of the stack, or names ones that it has not: they would stay without a value. */
export async function requireLockedSecrets({ environment }: Opened): Promise<void> {
  const { checkLock } = await import('../../../config/lock.js');
  const { promisesOf } = await import('../../../stacks/promises.js');
  const problems = checkLock(environment, promisesOf(environment.settings, environment.name));
  throwProblems(problems.filter(({ path }) => path?.startsWith('secrets.')));
}

/** `ragdock secrets fetch`: values from the store into the files that Terraform reads. */
export async function fetchSecrets(opened: Opened, io: Io): Promise<void> {
  const { checkSecrets } = await import('../../secrets/check.js');
  const { checkPromised, keepFetched } = await import('../../secrets/fetch.js');
  const { environment, store, secrets } = opened;
  await requireLockedSecrets(opened);
  if (comesFromSops(opened)) return fetchFromSops(opened, io);
  if (!comesFromCommand(opened)) {
    throwProblems(checkSecrets(secrets, io.cwd));
    io.stdout.write(`the values of ${environment.name} are files of this machine; nothing is to be fetched\n`);
    return;
  }
  if (environment.settings.secrets.shared) throwProblems(checkPromised(secrets, environment.name));
  keepFetched(secrets, await askStore(opened, io), store);
  for (const { name } of secrets) io.stdout.write(`fetched  ${name}\n`);
  io.stdout.write(`\`ragdock secrets forget ${environment.name}\` removes them from this machine after the deploy\n`);
}

/** `ragdock secrets init` where values come from a command: none is made, those that there are get their fingerprints. */
export async function adoptFetched(opened: Opened, io: Io): Promise<void> {
  const { lockFileOf } = await import('../../../config/lock-file.js');
  const { keepFetched } = await import('../../secrets/fetch.js');
  const { writeFingerprints } = await import('../../secrets/lock-fingerprints.js');
  const { environment, store, secrets } = opened;
  const fingerprints = keepFetched(secrets, await askStore(opened, io), store);
  for (const { name } of secrets) io.stdout.write(`fetched  ${name}\n`);
  if (!environment.settings.secrets.shared || fingerprints.size === 0) {
    io.stdout.write(`every secret of ${environment.name} has its value\n`);
    return;
  }
  const file = lockFileOf(environment.file);
  writeFingerprints(resolve(io.cwd, file), fingerprints);
  io.stdout.write(`${file} has the fingerprints; commit it\n`);
}

/** `ragdock secrets check` where values come from a command: those that it gives, and copies that are here. */
export async function checkStore(opened: Opened, io: Io): Promise<void> {
  const { checkSecrets } = await import('../../secrets/check.js');
  const { checkFetched } = await import('../../secrets/fetch.js');
  const { environment, secrets } = opened;
  const { values, problems } = await askStore(opened, io);
  const copies = secrets.filter(({ value }) => value !== undefined);
  throwProblems([...problems, ...checkFetched(secrets, values), ...checkSecrets(copies, io.cwd)]);
  io.stdout.write(
    `the command gives ${secrets.length} secrets of ${environment.name}, safe, and those of the lock file\n`,
  );
}

/** `ragdock secrets forget`: remove the copies of this machine, old versions too. */
export async function forgetSecrets(opened: Opened, io: Io): Promise<void> {
  const { environment, store, secrets } = opened;
  if (!comesFromCommand(opened) && !comesFromSops(opened)) {
    throw new RagdockError({
      code: 'SECRET_STORE_UNFIT',
      message: `the files of this machine are the store of ${environment.name}, not copies; they may be the only values`,
      remedy: 'Remove .ragdock/secrets by hand if another machine has the values.',
    });
  }
  // Values that somebody's own code needs are put there by hand, and the lock file does not name them.
  const names = new Set(secrets.map(({ name }) => name));
  const copies = store.list().filter(({ name }) => names.has(name));
  for (const { name, version } of copies) store.remove(name, version);
  io.stdout.write(`removed ${copies.length} values of ${environment.name} from this machine\n`);
}

/** The values that the command gives; `command` is there, for the rules want it with this store. */
export async function askStore(
  { environment, secrets }: Pick<Opened, 'environment' | 'secrets'>,
  io: Io,
): Promise<Fetched> {
  const { askCommand } = await import('../../secrets/command-store.js');
  const { storedValues } = await import('../../secrets/stored-values.js');
  const { command = [], timeoutSeconds } = environment.settings.secrets;
  const fetched = await askCommand(secrets, {
    command,
    timeoutSeconds,
    environment: environment.name,
    cwd: io.cwd,
    signal: io.signal,
    known: storedValues(io.cwd, environment.name),
  });
  if (io.signal.aborted) throw new Interrupted();
  return fetched;
}
