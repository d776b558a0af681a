import { NAME_LENGTH } from '../fields.js';
import type { Finding, Rule } from '../rules.js';
import { type NameClaim, reservedIds } from '../services.js';
import { engineVolume } from './engine-volumes.js';

/** What an environment may be called: the name becomes a part of others, and of paths. */
export const ENVIRONMENT_NAME = {
  pattern: /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/,
  form: 'lower-case letters, digits and - inside, a letter first, at most 32 characters',
} as const;

const environmentName: Rule = ({ environment }) => {
  if (ENVIRONMENT_NAME.pattern.test(environment)) return [];
  return [
    {
      path: [],
      message: `the file names the environment ${JSON.stringify(environment)}`,
      remedy: `Rename the file: ${ENVIRONMENT_NAME.form}.`,
    },
  ];
};

const containerNamesDiffer: Rule = ({ services }) =>
  clashes(
    services.map(({ containers }) => containers),
    'container',
  );

const volumeNamesDiffer: Rule = ({ services }) =>
  // Two services that write to one volume destroy each other's data, and so do two mounts of one service.
  clashes(
    services.flatMap(({ volumes }) => volumes.map((volume) => [volume])),
    'volume',
  );

/** Names that more than one group claims, told at the later claim, once for each pair of groups. */
function clashes(groups: readonly (readonly NameClaim[])[], kind: string): readonly Finding[] {
  const owners = new Map<string, { group: number; claim: NameClaim }>();
  const findings: Finding[] = [];
  groups.forEach((claims, group) => {
    const told = new Set([group]);
    for (const claim of claims) {
      const first = owners.get(claim.name);
      if (first === undefined) owners.set(claim.name, { group, claim });
      else if (!told.has(first.group)) {
        told.add(first.group);
        findings.push({
          code: 'NAME_CLASH',
          path: claim.path,
          message: `the ${kind} name ${claim.name} belongs to ${first.claim.path.join('.')} already`,
          remedy: `Give one of them another name with \`${kind === 'container' ? 'container' : 'volume'}:\`.`,
          restsOn: [first.claim.path],
        });
      }
    }
  });
  return findings;
}

/**
 * The volumes that carry secrets and configuration are the engine's: whoever mounted one would read every secret of its
 * container, or write what it does.
 */
const carriedFilesAreNotMounted: Rule = ({ services }) =>
  services
    .flatMap(({ volumes }) => volumes)
    .flatMap(({ name, path }): Finding[] => {
      const carried = engineVolume(name, services);
      if (!carried) return [];
      const message = `the volume ${name} carries the ${carried.holds} of ${carried.path.slice(0, -1).join('.')}`;
      return [{ code: 'NAME_CLASH', path, message, remedy: 'Give the volume another name.', restsOn: [carried.path] }];
    });

const namesFit: Rule = ({ services }) =>
  services
    .flatMap(({ containers: [container], volumes }) => (container ? [container, ...volumes] : volumes))
    .filter(({ name }) => name.length > NAME_LENGTH)
    .map(({ name, path }) => ({
      path,
      message: `the name ${name} has ${name.length} characters, and ${NAME_LENGTH} is the most`,
      remedy: 'Give it a shorter name here.',
    }));

const extraNamesAreFree: Rule = ({ settings }) => {
  const reserved = reservedIds(settings);
  return Object.keys(settings.extraServices)
    .filter((name) => reserved.has(name))
    .map((name) => ({
      code: 'NAME_CLASH',
      path: ['extraServices', name],
      message: `${name} is the name of one of the stack's own services or jobs`,
      remedy: 'Give the extra service another name.',
    }));
};

export const NAME_RULES: readonly Rule[] = [
  environmentName,
  containerNamesDiffer,
  volumeNamesDiffer,
  carriedFilesAreNotMounted,
  namesFit,
  extraNamesAreFree,
];
