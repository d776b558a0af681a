import { resolve } from 'node:path';
import { RagdockError, throwProblems } from '../../errors/problem.js';
import type { KnownSecret } from '../../secrets/inventory.js';
import type { RotationEffects } from '../../secrets/rotation-effects.js';
import type { Io } from '../io.js';
import { askStore, comesFromCommand, type Opened, requireLockedSecrets } from './secrets-fetch.js';

/** What is asked for beside the name. */
export interface RotateOptions {
  /** The version to come to; nothing is done when it is in force already. @default - the next one */
  readonly to?: number | undefined;
}

/** `ragdock secrets rotate`: the next version of one secret, for the next deploy. */
export async function rotate(opened: Opened, name: string, { to }: RotateOptions, io: Io): Promise<void> {
  const { lockFileOf, lockOf } = await import('../../../config/lock-file.js');
  const { removeOutdated, requireRotatable, rotateSecret } = await import('../../secrets/rotate.js');
  const { rotationEffects } = await import('../../secrets/rotation-effects.js');
  const { findSecret } = await import('../../secrets/set.js');
  const { writeVersion } = await import('../../secrets/lock-version.js');
  const { environment, store, secrets } = opened;
  await requireLockedSecrets(opened);
  const secret = findSecret(secrets, name);
  if (to === secret.version) {
    io.stdout.write(`${name} has version ${to} already\n`);
    return;
  }
  if (to !== undefined && to !== secret.version + 1) throw outOfReach(secret, to);
  const effects = rotationEffects(environment.settings, environment.name, lockOf(environment), name);
  requireRotatable(name, effects.secret.loses);

  const { version, fingerprint, origin } = await rotateSecret(secret, store, askerOf(opened, secret, effects, io));
  await opened.save?.();
  const { shared } = environment.settings.secrets;
  const file = lockFileOf(environment.file);
  writeVersion(resolve(io.cwd, file), name, version, shared ? fingerprint : undefined);
  if (shared && secret.fingerprint === undefined) {
    const { writeFingerprints } = await import('../../secrets/lock-fingerprints.js');
    writeFingerprints(resolve(io.cwd, file), new Map([[name, fingerprint]]));
  }
  const removed = removeOutdated(name, version, store);
  if (removed.length > 0) await opened.save?.();
  const how = origin === 'given' && comesFromCommand(opened) ? 'fetched' : origin;
  io.stdout.write(
    `${how.padEnd(8)} ${name}, version ${version}${origin === 'adopted' ? ' (its value was there)' : ''}\n`,
  );
  for (const old of removed) io.stdout.write(`removed  ${name}, version ${old}, from this machine\n`);
  io.stdout.write(`${file} promises version ${version}; commit it\n`);
  if (opened.save)
    io.stdout.write(`\`ragdock secrets fetch ${environment.name}\` brings it to a machine that deploys\n`);
  io.stdout.write(describe(effects));
}

/** Where the value comes from that cannot be made up; undefined: any strong one will do. */
function askerOf(
  opened: Opened,
  secret: KnownSecret,
  { secret: { origin } }: RotationEffects,
  io: Io,
): (() => Promise<string>) | undefined {
  const version = secret.version + 1;
  if (comesFromCommand(opened)) {
    return async () => {
      const next = { ...secret, version, fingerprint: undefined, value: undefined };
      const { values, problems } = await askStore({ ...opened, secrets: [next] }, io);
      throwProblems(problems);
      return values.get(secret.name) ?? '';
    };
  }
  if (origin === 'generated') return undefined;
  return async () => {
    const { readSecret } = await import('../prompt.js');
    return readSecret(io, `Value of ${secret.name} for version ${version}, as it was given to you: `);
  };
}

function outOfReach({ name, version }: KnownSecret, to: number): RagdockError {
  return new RagdockError({
    code: 'USAGE',
    message: `${name} has version ${version}, so it can come to ${version + 1}, not to ${to}`,
  });
}

/** What the deploy will do, in the order in which a reader asks. */
function describe({ reread, replaced, jobs, inTurn }: RotationEffects): string {
  const lines = [
    'the next deploy (`npx cdktf deploy`):',
    ...(jobs.length > 0 ? [`  runs again: ${jobs.join(', ')}`] : []),
    ...(reread.length > 0 ? [`  goes on running and reads the new version: ${reread.join(', ')}`] : []),
    ...replaced.flatMap(({ id, meanwhile }) => [`  is replaced: ${id}`, `    meanwhile: ${meanwhile}`]),
    ...(replaced.length === 0 ? ['  replaces no service; nobody notices'] : []),
    ...(inTurn ? ['  takes the old login away when all clients have the new one'] : []),
    'deploy it before you rotate this secret again',
  ];
  return `${lines.join('\n')}\n`;
}
