import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../../src/errors/problem.js';
import { type Draft, report } from '../draft.js';
import type { Path } from '../located.js';
import { sopsFileOf } from '../secret-store.js';
import { type NameClaim, type ServiceClaims, servicesOf } from '../services.js';
import { backendOf } from '../state.js';
import { isPrivate, overlaps, parseRange, type Range, showRange } from '../subnets.js';
import { engineVolume } from './engine-volumes.js';
import { portClaims, portsClash, showPort } from './network.js';

/** Two settings that exclude each other: one of an earlier environment, one of a later one. */
interface Clash {
  readonly earlier: Path;
  readonly later: Path;
  readonly what: string;
  readonly remedy: string;
  /** Also on different hosts. @default false */
  readonly anywhere?: boolean;
}

/** Claims of several environments that exclude each other, on one Docker host or at all, told at the later one. */
export function clashesAcross(drafts: readonly Draft[]): readonly Problem[] {
  return drafts.flatMap((later, index) => drafts.slice(0, index).flatMap((earlier) => between(earlier, later)));
}

function between(earlier: Draft, later: Draft): readonly Problem[] {
  if (!earlier.settings || !later.settings) return [];
  const clashes = [
    ...sameState(earlier, later),
    ...sameEncryptedFile(earlier, later),
    ...(earlier.settings.host.docker === later.settings.host.docker ? onOneHost(earlier, later) : []),
  ];
  return clashes.flatMap((clash) => {
    const there = earlier.placeOf(clash.earlier);
    if (!there) return [];
    const message = `${clash.what} belongs to the environment ${earlier.name} (${there.file}:${there.line})${clash.anywhere ? '' : ' on the same host'}`;
    return report(later, { code: 'NAME_CLASH', path: clash.later, message, remedy: clash.remedy });
  });
}

/** A deploy of one would remove the other. What a backend takes from the environment alone is not seen. */
function sameState(earlier: Draft, later: Draft): readonly Clash[] {
  const [before, after] = [earlier, later].map(({ settings, name }) => backendOf(settings?.state, name, '.'));
  if (!after || Object.keys(after.config).length === 0 || !isDeepStrictEqual(before, after)) return [];
  const path = ['state'];
  const remedy =
    'Give each a state of its own: another schema_name (pg), key (s3), prefix (gcs), address (http) or path.';
  return [{ earlier: path, later: path, what: 'the place of this state', remedy, anywhere: true }];
}

/** The names of secrets are the same in every environment, so one value would serve two. */
function sameEncryptedFile(earlier: Draft, later: Draft): readonly Clash[] {
  const [before, after] = [earlier, later].map(({ settings, name }) =>
    settings?.secrets.store === 'sops' ? sopsFileOf(settings.secrets, name) : undefined,
  );
  if (after === undefined || before !== after) return [];
  const remedy = 'Give each an encrypted file of its own: leave `secrets.file` out.';
  const path = ['secrets', 'store'];
  return [{ earlier: path, later: path, what: `the encrypted file ${after}`, remedy, anywhere: true }];
}

function onOneHost(earlier: Draft, later: Draft): readonly Clash[] {
  if (!earlier.settings || !later.settings) return [];
  const before = servicesOf(earlier.settings, earlier.name);
  const after = servicesOf(later.settings, later.name);
  const pools = [earlier.settings.host.networkPool, later.settings.host.networkPool].map(parseRange);
  return [
    ...pool(pools[0] as Range, pools[1] as Range),
    ...names('container', containersOf(before), containersOf(after)),
    ...names('volume', volumesOf(before), volumesOf(after)),
    ...carried(before, after),
    ...ports(before, after),
  ];
}

function pool(earlier: Range, later: Range): readonly Clash[] {
  if (!overlaps(earlier, later)) return [];
  const path = ['host', 'networkPool'];
  const next = { ...later, first: earlier.last + 1, last: earlier.last + 1 + later.last - later.first };
  const example = isPrivate(next) ? `, such as ${showRange(next)}` : '';
  const what = `a part of ${showRange(later)}`;
  return [{ earlier: path, later: path, what, remedy: `Give one of them another pool${example}.` }];
}

const containersOf = (services: readonly ServiceClaims[]): readonly NameClaim[] =>
  services.flatMap(({ containers }) => containers);

const volumesOf = (services: readonly ServiceClaims[]): readonly NameClaim[] =>
  services.flatMap(({ volumes }) => volumes);

/** Names that both claim, once for each pair of settings: one setting names a container and what belongs to it. */
function names(kind: 'container' | 'volume', earlier: readonly NameClaim[], later: readonly NameClaim[]): Clash[] {
  const owners = new Map(earlier.map(({ name, path }) => [name, path]));
  const clashes = later.flatMap(({ name, path }) => {
    const owner = owners.get(name);
    if (!owner) return [];
    const remedy = `Give one of them another name with \`${kind}:\`.`;
    return [{ earlier: owner, later: path, what: `the ${kind} name ${name}`, remedy }];
  });
  const pair = (clash: Clash): string => JSON.stringify([clash.earlier, clash.later]);
  return clashes.filter((clash, index) => clashes.findIndex((other) => pair(other) === pair(clash)) === index);
}

/** A volume of one that the engine makes for the other's containers: whoever mounts it reads secrets that are not its own. */
function carried(before: readonly ServiceClaims[], after: readonly ServiceClaims[]): readonly Clash[] {
  const clash = (earlier: NameClaim, later: NameClaim): Clash => ({
    earlier: earlier.path,
    later: later.path,
    what: `the volume name ${later.name}`,
    remedy: 'Give the volume that the engine does not make itself another name.',
  });
  return [
    ...volumesOf(after).flatMap((volume) => {
      const owner = engineVolume(volume.name, before);
      return owner ? [clash(owner, volume)] : [];
    }),
    ...volumesOf(before).flatMap((volume) => {
      const owner = engineVolume(volume.name, after);
      return owner ? [clash(volume, owner)] : [];
    }),
  ];
}

function ports(before: readonly ServiceClaims[], after: readonly ServiceClaims[]): readonly Clash[] {
  const earlier = portClaims(before);
  return portClaims(after).flatMap((claim) => {
    const owner = earlier.find((candidate) => portsClash(candidate, claim));
    if (!owner) return [];
    return [
      {
        earlier: owner.path,
        later: claim.path,
        what: showPort(claim),
        remedy: 'Publish one of them on another port.',
      },
    ];
  });
}
