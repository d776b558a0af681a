import { CONTAINER_FINDINGS } from './catalogue/containers.js';
import { HOST_FINDINGS } from './catalogue/host.js';
import type { FindingKind } from './catalogue/kind.js';
import { SERVICE_FINDINGS } from './catalogue/services.js';
import { STACK_FINDINGS } from './catalogue/stack.js';
import { filled } from './finding.js';

const HEAD = `# ragdock doctor

<!-- Written by \`npm run generate\`. -->

\`\`\`sh
npx ragdock doctor dev
\`\`\`

looks at the engine, at the containers of the environment and their logs, at volumes, networks and ports, at Terraform’s state and
at the lock file, and says what is wrong: what was seen, what it means, what to do. The likeliest cause comes first; what
follows may be a consequence of it. It only reads, and asks no service anything: whether the stack answers is what
\`ragdock smoke dev\` is for.

Exit code 0: nothing was found, or only *risks*, which stop nothing yet; they are printed, and a pipeline goes on, as it does
after \`ragdock status\` has told of a difference. Exit code 1: something is *broken*. An engine that cannot be reached is a finding
as well. What is wrong with the environment file itself is told as by \`ragdock validate\`, with exit code 2.

A service that still starts is not broken, and neither is one whose health check asks a server that still
starts: a model may load for half an hour, and the RAG API is ready when the model is.

What belongs to the machine under the engine (room of disks, owners of volumes, processes behind ports) is seen where
\`host.docker\` is a socket of this machine; owners and processes of others by root alone. Terraform’s state is looked at where it is
a file of this machine.

\`--json\` prints the findings as data, which [doctor.schema.json](doctor.schema.json) describes.

Secrets are masked in all that is shown. Where this machine does not know every secret that a service holds, lines of its log and the
output of its health check are read, and not shown; \`--allow-unmasked\` shows them.

## The bundle

\`\`\`sh
npx ragdock doctor dev --bundle dev-doctor.tgz
\`\`\`

writes, beside the findings, what they were drawn from into a file for somebody who has to help: what was seen as JSON, the last
lines of every log, the engine’s version and settings, the environment file and its lock file, the status, and the version of
ragdock. Its content is listed. Only its owner may read it (0600). Every secret that this machine knows, and all that looks like
one, is masked; where it does not know every secret that the environment has, nothing is written, unless \`--allow-unmasked\` says that
you have looked through it.

## Findings
`;

const GROUPS: readonly (readonly [string, Readonly<Record<string, FindingKind>>])[] = [
  ['The engine and its host', HOST_FINDINGS],
  ['Files, state and what is deployed', STACK_FINDINGS],
  ['Containers', CONTAINER_FINDINGS],
  ['Services and their data', SERVICE_FINDINGS],
];

/** Texts of kinds that hold nothing but what was seen. */
const WHOLE_TEXTS: Readonly<Record<string, string>> = {
  why: 'It is not there, does not run, lets this user not in, is out of reach, or is no Docker engine: the finding says which.',
  how: 'As the finding says: `sudo systemctl start docker` where it does not run, the group of the socket where it is closed, `ssh` until it asks for nothing where it is behind ssh://.',
};

/** And of one that has steps of its own. */
const OWN_STEPS =
  'Undo the change, or follow the steps that the finding has; the last is `npx ragdock lock dev --accept NAME`.';

/** The page docs/doctor.md: one section for each kind of finding. */
export function doctorPage(): string {
  return [HEAD, ...GROUPS.map(([title, kinds]) => groupSection(title, kinds))].join('\n');
}

function groupSection(title: string, kinds: Readonly<Record<string, FindingKind>>): string {
  const rows = Object.entries(kinds).map(([id, kind]) => `| [\`${id}\`](#${id}) | ${kind.severity} | ${kind.title} |`);
  const sections = Object.entries(kinds).map(([id, kind]) => section(id, kind));
  return [`### ${title}\n`, '| finding | | |', '|---|---|---|', ...rows, '', ...sections].join('\n');
}

function section(id: string, { severity, title, seen, meaning, remedy }: FindingKind): string {
  const texts = { ...WHOLE_TEXTS, ...(id === 'lock-promise-broken' ? { how: OWN_STEPS } : {}) };
  return [
    `#### ${id}\n`,
    `${title} (${severity}).\n`,
    `- Seen in: ${shown(seen, texts)}.`,
    `- Meaning: ${shown(meaning, texts)}`,
    `- Remedy: ${shown(remedy, texts)}\n`,
  ].join('\n');
}

/** With `dev` for the environment, and words in capitals for what a finding fills in. */
function shown(text: string, texts: Readonly<Record<string, string>>): string {
  return filled(text, { env: 'dev', which: ' --llm main', modeljob: 'dev-llm-main-model', ...texts }).replace(
    /<(\w+)>/g,
    (_, name: string) => name.toUpperCase(),
  );
}
