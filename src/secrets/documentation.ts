import { planLock } from '../../config/lock.js';
import { EnvironmentSchema } from '../../config/schema.js';
import { promisesOf } from '../../stacks/promises.js';
import { type RotationEffects, rotationEffects } from './rotation-effects.js';

const MODEL = {
  name: 'model',
  file: 'model.gguf',
  url: 'https://models.example/model.gguf',
  sha256: '0'.repeat(64),
} as const;

/** A stack with everything in it that has a secret; names of models and of a role as a reader would call them. */
const EVERYTHING = {
  schema: 1,
  services: {
    llm: {
      main: { engine: 'llama.cpp', model: MODEL },
      large: { engine: 'vllm', model: { name: 'owner/model', token: true }, maxModelLen: 8192 },
    },
    embeddings: { enabled: true },
    postgres: { publish: { port: 5432 }, roles: { analyst: {} } },
    api: { courses: ['demo'], llm: 'main' },
    grafana: { enabled: true },
    agentExporter: { enabled: true },
    postgresExporter: { enabled: true },
    alertmanager: { enabled: true, webhook: { url: 'https://alerts.example/hook', token: true } },
  },
};

/** `docs/secrets.md`, whose table follows from the model of a stack with everything in it. */
export function secretsPage(): string {
  const settings = EnvironmentSchema.parse(EVERYTHING);
  const promises = promisesOf(settings, 'dev');
  const lock = planLock({ name: 'dev', file: 'dev.yaml', lock: undefined, lockPlaceOf: undefined, settings }, promises);
  const rows = promises.secrets.map((name) => row(rotationEffects(settings, 'dev', lock, name)));
  return [HEAD, ...rows, TAIL].join('\n');
}

function row(effects: RotationEffects): string {
  const { secret, reread, replaced, jobs } = effects;
  const made = secret.origin === 'given' ? 'given to you' : 'made';
  const names = (list: readonly string[]) => list.map((name) => `\`${name}\``).join(', ') || 'none';
  const seen = secret.loses === undefined ? whatIsSeen(effects) : `not rotated: ${secret.loses}`;
  return `| \`${secret.name}\` | ${secret.purpose} | ${made} | ${names(reread)} | ${names(replaced.map(({ id }) => id))} | ${names(jobs)} | ${seen} |`;
}

const whatIsSeen = ({ replaced }: RotationEffects): string =>
  replaced.map(({ meanwhile }) => meanwhile).join('; ') || 'nothing';

const HEAD = `# Secrets

What opens what, who reads it, and what a new version does. The table is made from the model of a stack with everything in it; what
yours has, \`ragdock secrets list ENV\` tells.

**How they are made.** \`ragdock secrets init\` makes 256 random bits as 43 characters of \`A-Z a-z 0-9 - _\`. Values of other origin have
16 characters at least, of \`A-Z a-z 0-9 . _ ~ -\` alone: each of them means itself in URLs, in connection strings, in headers and in
shells. \`ragdock secrets set ENV NAME\` stores one that you have. It takes the place of no other value, which may be deployed, without
\`--replace\`, and with it writes the fingerprint of the new one into the lock file: for what was wrong, while a rotation is for what was
right. Where they are kept, and how they come to other machines: [operating.md](operating.md#secrets).

**How they reach their readers.** As files \`/run/secrets/NAME.vN\`, closed to all but the reader's user, never as variables, arguments or
part of an image ([why](adr/0002-files-containers.md)). Where a value may be seen, and what \`TF_LOG=trace\` shows:
[security.md](security.md#where-a-value-may-be-seen).

## Rotation

\`\`\`sh
npx ragdock secrets rotate dev rag-api-key
git commit --all --message 'Rotate rag-api-key'
npx cdktf deploy dev --auto-approve --skip-provider-lock
npx ragdock smoke dev
\`\`\`

\`rotate\` puts the value of the next version into the store, then promises that version in the lock file, and says what the deploy will do.
It never shows a value. Where a command gives the values, make \`{version}\` + 1 there first; a value that somebody gave you is asked for, or
read from stdin. Cut off between the two steps, the next run takes the value that is there; with \`--to 2\` it does nothing once the lock file
has version 2, so a script can repeat it. Deploy before you rotate the same secret again: two logins, and two keys, carry one change at a time.

**Old versions.** The store keeps the version before the newest, which is in force until the deploy is through; the rotation after that
removes it. \`secrets forget\` removes all copies of a vault's values. A second machine needs the newest version alone. Volumes
of running services keep old files; they open nothing any more. There is no way back to an old version: rotate once more.

**A key that has leaked** is rotated in the same way. The old key of the API goes on for \`services.api.keyOverlapSeconds\` (300 by default)
after the new one came, so that whoever presents it can change over; set 0 to end it at once, at the price of questions that fail for
seconds. A later deploy that writes the files of the API anew, and starts it anew, counts this time again.

## All of them

\`PostgreSQL\`'s clients log in by two roles that take turns, so their old password works until all of them have the new one, and never
after it ([why](adr/0011-rotation.md)).

| secret | what it does | made or given | goes on running and rereads | replaced | jobs that run again | what is seen meanwhile |
|---|---|---|---|---|---|---|`;

const TAIL = `
Of a server [that somebody else runs](external-services.md) the secret is given; its name is that of the table, \`rag-api\` rereads it, and
nothing is replaced. Have the server take both values while you deploy, or its clients fail until both sides have the new one.

\`npm run test:drills\` rotates each of them on a running stack while questions are asked, and holds what is seen against this table.
Two are left out: \`grafana-secret-key\`, which stays, and the token of a download, which opens Hugging Face's own hub alone.
`;
