import { resolve } from 'node:path';
import { RagdockError, throwProblems } from '../../errors/problem.js';
import { HELP_COMMAND, type RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { whole } from '../options.js';
import {
  adoptFetched,
  checkStore,
  comesFromCommand,
  fetchSecrets,
  forgetSecrets,
  type Opened,
  requireLockedSecrets,
} from './secrets-fetch.js';
import { type RotateOptions, rotate } from './secrets-rotate.js';
import { checkSops, comesFromSops, keysInSops, openSops } from './secrets-sops.js';

/** `ragdock secrets`: the values that the services need. No command of it prints one. */
export function registerSecrets(program: RagdockCommand, io: Io): void {
  const secrets = program
    .command('secrets')
    .description('make, list, check, rotate and fetch secrets')
    .helpCommand(...HELP_COMMAND)
    .example('ragdock secrets init dev', 'before the first deploy');
  const environment = ['<env>', 'name or file of the environment'] as const;
  secrets
    .command('init')
    .description(
      'make every secret that has no value yet, or fetch it where a command gives values, and remember the fingerprints in the lock file',
    )
    .argument(...environment)
    .example('ragdock secrets init dev', 'before the first deploy, and after one more service')
    .action(async (env: string) => init(await open(env, io), io));
  secrets
    .command('list')
    .description('list the secrets with what they open, who reads them, and whether the store holds them')
    .argument(...environment)
    .example('ragdock secrets list dev', 'names and purposes, no values')
    .action(async (env: string) => list(await open(env, io), io));
  secrets
    .command('check')
    .description('tell what is missing, wrong or unsafe; exit 0 or 2')
    .argument(...environment)
    .example('ragdock secrets check dev', 'on a second machine')
    .action(async (env: string) => check(await open(env, io), io));
  secrets
    .command('set')
    .description('store one value, typed without echo or read from stdin')
    .argument(...environment)
    .argument('<name>', 'name of the secret')
    .option(
      '--replace',
      'take the place of another value, which was never deployed or is wrong; the lock file gets its fingerprint',
    )
    .example('ragdock secrets set dev qdrant-api-key', 'typed without echo')
    .example(`printf %s "$VALUE" | ragdock secrets set dev qdrant-api-key`, 'from another program')
    .action(async (env: string, name: string, { replace = false }: { readonly replace?: boolean }) =>
      set(await open(env, io), name, replace, io),
    );
  secrets
    .command('rotate')
    .description(
      'make the next version of one secret, or read or fetch it where it cannot be made, and say what the next deploy does with it',
    )
    .argument(...environment)
    .argument('<name>', 'name of the secret')
    .option('--to <version>', 'do nothing when this version is in force already', whole(2, 1_000_000))
    .example('ragdock secrets rotate dev rag-api-key', 'before a deploy')
    .example('ragdock secrets rotate dev rag-api-key --to 2', 'the same, once, however often it runs')
    .action(async (env: string, name: string, options: RotateOptions) =>
      rotate(await inStore(await open(env, io), io), name, options, io),
    );
  secrets
    .command('fetch')
    .description(
      'put the values of a command or an encrypted file where a deploy reads them; each has to be the promised one',
    )
    .argument(...environment)
    .example('ragdock secrets fetch prod', 'in a pipeline, before the deploy')
    .action(async (env: string) => fetchSecrets(await open(env, io), io));
  secrets
    .command('forget')
    .description('remove fetched values from this machine, old versions too')
    .argument(...environment)
    .example('ragdock secrets forget prod', 'in a pipeline, after the deploy, whatever came of it')
    .action(async (env: string) => forgetSecrets(await open(env, io), io));
}

async function open(env: string, io: Io): Promise<Opened> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const { FilesStore } = await import('../../secrets/files-store.js');
  const { secretsOf } = await import('../../secrets/inventory.js');
  const environment = loadEnvironment(env, { cwd: io.cwd });
  const store = new FilesStore(io.cwd, environment.name);
  return { environment, store, secrets: secretsOf(environment, store, io.cwd) };
}

/** The values where they are kept: files of this machine may be copies of them. */
async function inStore(opened: Opened, io: Io): Promise<Opened> {
  return comesFromSops(opened) ? openSops(opened, io) : opened;
}

async function init(opened: Opened, io: Io): Promise<void> {
  const { lockFileOf } = await import('../../../config/lock-file.js');
  const { initSecrets } = await import('../../secrets/init.js');
  const { writeFingerprints } = await import('../../secrets/lock-fingerprints.js');
  const { givenSecretsOf } = await import('../../secrets/catalogue.js');
  const { environment } = opened;
  await requireLockedSecrets(opened);
  if (comesFromCommand(opened)) return adoptFetched(opened, io);

  const { store, secrets, save } = await inStore(opened, io);
  const given = givenSecretsOf(environment.settings);
  const { made, adopted, missing, fingerprints } = initSecrets(secrets, store, given);
  await save?.();
  const file = lockFileOf(environment.file);
  const { shared } = environment.settings.secrets;
  for (const name of made) io.stdout.write(`made     ${name}\n`);
  for (const name of missing) {
    io.stdout.write(`missing  ${name}: store it with \`ragdock secrets set ${environment.name} ${name}\`\n`);
  }
  if (!shared || fingerprints.size === 0) {
    if (missing.length === 0) {
      io.stdout.write(`every secret of ${environment.name} has its value${shared ? '' : ', for this machine alone'}\n`);
    }
    return;
  }
  writeFingerprints(resolve(io.cwd, file), fingerprints);
  for (const name of adopted) io.stdout.write(`adopted  ${name} (its value was there)\n`);
  io.stdout.write(`${file} has the fingerprints; commit it\n`);
  if (save) io.stdout.write(`${secrets[0]?.file} has the values, encrypted; commit it\n`);
}

async function list(opened: Opened, io: Io): Promise<void> {
  const { environment, secrets } = opened;
  const [here, absent] = comesFromCommand(opened) ? ['fetched', 'not fetched'] : ['stored', 'no value'];
  const { catalogueOf } = await import('../../secrets/catalogue.js');
  const catalogue = new Map(catalogueOf(environment.settings).map((entry) => [entry.name, entry]));
  const inSops = comesFromSops(opened) ? await keysInSops(opened, io) : undefined;
  const rows = secrets.map(({ name, version, value, fingerprint }) => {
    const entry = catalogue.get(name);
    return [
      name,
      `v${version}`,
      (inSops ? inSops.has(`${name}.v${version}`) : value !== undefined) ? here : absent,
      fingerprint === undefined ? 'not in the lock' : 'in the lock',
      entry?.origin ?? 'no service has it',
      entry?.purpose ?? '',
      entry ? `read by ${entry.readers.join(', ')}` : '',
    ];
  });
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), []);
  for (const row of rows) {
    io.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

async function check(opened: Opened, io: Io): Promise<void> {
  if (comesFromCommand(opened)) return checkStore(opened, io);
  if (comesFromSops(opened)) return checkSops(opened, io);
  const { environment, secrets } = opened;
  const { checkSecrets } = await import('../../secrets/check.js');
  throwProblems(checkSecrets(secrets, io.cwd));
  io.stdout.write(`${secrets.length} secrets of ${environment.name} are stored, safe, and those of the lock file\n`);
}

async function set(opened: Opened, name: string, replace: boolean, io: Io): Promise<void> {
  const { environment } = opened;
  const { lockFileOf } = await import('../../../config/lock-file.js');
  const { writeFingerprints } = await import('../../secrets/lock-fingerprints.js');
  const { findSecret, setSecret } = await import('../../secrets/set.js');
  const { readSecret } = await import('../prompt.js');
  findSecret(opened.secrets, name);
  if (comesFromCommand(opened)) {
    throw new RagdockError({
      code: 'SECRET_STORE_UNFIT',
      path: name,
      message: `the values of ${environment.name} come from a command, which only reads`,
      remedy: `Set the value where the command reads it, then run \`ragdock secrets check ${environment.name}\`.`,
    });
  }
  const { store, secrets, save } = await inStore(opened, io);
  const value = await readSecret(io, `Value of ${name}: `);
  const fingerprint = setSecret(findSecret(secrets, name), value, store, replace);
  await save?.();
  if (fingerprint !== undefined && environment.settings.secrets.shared) {
    writeFingerprints(resolve(io.cwd, lockFileOf(environment.file)), new Map([[name, fingerprint]]));
  }
  io.stdout.write(`stored ${name}\n`);
}
