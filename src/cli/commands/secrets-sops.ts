import { sopsFileOf } from '../../../config/secret-store.js';
import { throwProblems } from '../../errors/problem.js';
import { Interrupted } from '../exit.js';
import type { Io } from '../io.js';
import type { Opened } from './secrets-fetch.js';

/** Whether values come from a file that sops encrypts, and files of this machine are copies of them. */
export const comesFromSops = ({ environment }: Opened): boolean => environment.settings.secrets.store === 'sops';

/** The same secrets with the values of the encrypted file, which needs sops and a key. */
export async function openSops({ environment }: Opened, io: Io): Promise<Opened> {
  const { secretsOf } = await import('../../secrets/inventory.js');
  const { SopsStore } = await import('../../secrets/sops/store.js');
  const { settings, name } = environment;
  const { timeoutSeconds } = settings.secrets;
  const file = sopsFileOf(settings.secrets, name);
  const store = await orInterrupted(io, SopsStore.open({ cwd: io.cwd, file, timeoutSeconds, signal: io.signal }));
  const save = () => orInterrupted(io, store.save());
  return { environment, store, save, secrets: secretsOf(environment, store, io.cwd) };
}

/** Keys of the encrypted file; nothing is decrypted. */
export async function keysInSops({ environment }: Opened, io: Io): Promise<ReadonlySet<string>> {
  const { readEncryptedFile } = await import('../../secrets/sops/encrypted-file.js');
  const { keys, problems } = readEncryptedFile(io.cwd, sopsFileOf(environment.settings.secrets, environment.name));
  throwProblems(problems);
  return new Set(keys);
}

/** `ragdock secrets fetch` with an encrypted file: every value into the files that Terraform reads, or none. */
export async function fetchFromSops(opened: Opened, io: Io): Promise<void> {
  const { checkValues } = await import('../../secrets/check.js');
  const { checkPromised } = await import('../../secrets/fetch.js');
  const { secrets } = await openSops(opened, io);
  const { name } = opened.environment;
  throwProblems([
    ...checkPromised(
      secrets.filter(({ value }) => value !== undefined),
      name,
    ),
    ...checkValues(secrets),
  ]);
  for (const { name: secret, version, value } of secrets) {
    if (value === undefined) throw new Error(`there is neither a value of ${secret} nor a problem`);
    opened.store.write(secret, version, value, true);
    io.stdout.write(`fetched  ${secret}\n`);
  }
  io.stdout.write(`\`ragdock secrets forget ${name}\` removes them from this machine after the deploy\n`);
}

/** `ragdock secrets check` with an encrypted file: its values, who may read it, and copies that are here. */
export async function checkSops(opened: Opened, io: Io): Promise<void> {
  const { checkSecrets, checkValues } = await import('../../secrets/check.js');
  const { checkRecipients } = await import('../../secrets/sops/recipients.js');
  const { environment, secrets: here } = opened;
  const { timeoutSeconds } = environment.settings.secrets;
  const file = sopsFileOf(environment.settings.secrets, environment.name);
  const { secrets } = await openSops(opened, io);
  const options = { cwd: io.cwd, file, timeoutSeconds, signal: io.signal };
  const recipients = await orInterrupted(io, checkRecipients(options));
  const copies = here.filter(({ value }) => value !== undefined);
  throwProblems([...checkValues(secrets), ...recipients, ...checkSecrets(copies, io.cwd)]);
  io.stdout.write(`${file} has ${secrets.length} secrets of ${environment.name}, safe, and those of the lock file\n`);
}

/** An interruption ends sops, which then fails in one way or another. */
async function orInterrupted<T>(io: Io, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw io.signal.aborted ? new Interrupted() : error;
  }
}
