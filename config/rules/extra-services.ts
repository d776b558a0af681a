import { nearest } from '../../src/errors/nearest.js';
import type { Path } from '../located.js';
import type { Finding, Rule } from '../rules.js';
import type { ExtraServiceSettings } from '../schema.js';
import { holdsPassword, namesSecret } from '../secret-names.js';
import type { ServiceClaims } from '../services.js';

/** A rule about one extra service at a time. */
type ExtraRule = (
  extra: ExtraServiceSettings,
  path: Path,
  targets: ReadonlyMap<string, ServiceClaims>,
) => readonly Finding[];

const publishNeedsListen: ExtraRule = (extra, path) => {
  if (!extra.publish || extra.listen !== undefined) return [];
  return [
    {
      path: [...path, 'publish'],
      message: 'the service says on no port that it listens, so there is nothing to publish',
      remedy: 'Add `listen:` with the port inside the container.',
      restsOn: [[...path, 'listen']],
    },
  ];
};

const connectionsExist: ExtraRule = (extra, path, targets) =>
  Object.keys(extra.connections)
    .filter((name) => !targets.has(name))
    .map((name) => {
      const meant = nearest(name, targets.keys());
      return {
        path: [...path, 'connections', name],
        message: `there is no service '${name}' to connect to`,
        remedy: meant ? `Did you mean \`${meant}\`?` : `Name one of ${[...targets.keys()].join(', ')}.`,
        restsOn: [
          ['services', 'llm', '*'],
          ['services', 'webBot', 'enabled'],
          ['services', 'prometheus', 'enabled'],
          ['services', 'embeddings', 'enabled'],
        ],
      };
    });

const connectionsCarryCredentials: ExtraRule = (extra, path, targets) =>
  Object.entries(extra.connections).flatMap(([name, { credential }]): Finding[] => {
    const target = targets.get(name);
    if (!target || target.credential === (credential !== undefined)) return [];
    const at = [...path, 'connections', name];
    return target.credential
      ? [
          {
            path: at,
            message: `${name} wants a credential, and the service is not told where it is`,
            remedy: 'Add `credential:` with a variable; it receives the path of the file with the credential.',
            restsOn: [[...at, 'credential']],
          },
        ]
      : [
          {
            path: [...at, 'credential'],
            message: `${name} wants no credential, so ${credential} would stay empty`,
            remedy: 'Remove `credential:`.',
          },
        ];
  });

const connectionsCarryAuthorities: ExtraRule = (extra, path, targets) =>
  Object.entries(extra.connections).flatMap(([name, { trust }]): Finding[] => {
    const target = targets.get(name);
    if (!target || target.privateAuthority === (trust !== undefined)) return [];
    const at = [...path, 'connections', name];
    return target.privateAuthority
      ? [
          {
            path: at,
            message: `${name} has a certificate of a private authority, and the service is not told whom to trust`,
            remedy: 'Add `trust:` with a variable; it receives the path of the file with the certificates.',
            restsOn: [[...at, 'trust']],
          },
        ]
      : [
          {
            path: [...at, 'trust'],
            message: `${name} has no private authority, so ${trust} would stay empty`,
            remedy: 'Remove `trust:`.',
          },
        ];
  });

const variablesDiffer: ExtraRule = (extra, path) => {
  const taken = new Map<string, Path>(
    Object.keys(extra.environment).map((name) => [name, [...path, 'environment', name]]),
  );
  return Object.entries(extra.connections).flatMap(([connection, as]) =>
    (['url', 'credential', 'trust'] as const).flatMap((kind): Finding[] => {
      const variable = as[kind];
      if (variable === undefined) return [];
      const at = [...path, 'connections', connection, kind];
      const first = taken.get(variable);
      taken.set(variable, first ?? at);
      if (!first) return [];
      const message = `the variable ${variable} is set by ${first.join('.')} already`;
      return [{ path: at, message, remedy: 'Choose another name.', restsOn: [first] }];
    }),
  );
};

const secretsGoByFile: ExtraRule = (extra, path) =>
  Object.entries(extra.environment)
    .filter(([name, value]) => namesSecret(name) || holdsPassword(value))
    .map(([name]) => ({
      path: [...path, 'environment', name],
      message: `${name} looks like a secret; everybody who may read this file or \`docker inspect\` would see it`,
      remedy: `Let the service read a file, named by ${name}_FILE; credentials of the stack come by \`connections\`.`,
    }));

/** What a container is started with stands in the plan, in the state, in `docker inspect` and in the host's list of processes. */
const argumentsHoldNoPassword: ExtraRule = (extra, path) =>
  (['entrypoint', 'command', 'healthCheck'] as const).flatMap((key) =>
    (extra[key] ?? []).flatMap((argument, index): Finding[] => {
      if (!holdsPassword(argument)) return [];
      return [
        {
          path: [...path, key, index],
          message:
            'a URL with a password; everybody who may read this file, or list the processes of the host, would see it',
          remedy: 'Let the service read the password from a file; credentials of the stack come by `connections`.',
        },
      ];
    }),
  );

const mountsDiffer: ExtraRule = (extra, path) => {
  const mounts = [
    ...extra.volumes.map((volume, index) => ({ mount: volume.path, at: [...path, 'volumes', index, 'path'] })),
    ...extra.tmpfs.map((mount, index) => ({ mount, at: [...path, 'tmpfs', index] })),
  ];
  return mounts.flatMap(({ mount, at }, index): Finding[] => {
    const first = mounts.slice(0, index).find((earlier) => earlier.mount === mount);
    if (!first) return [];
    const message = `${mount} is mounted by ${first.at.join('.')} already`;
    return [{ path: at, message, remedy: 'Mount one of them elsewhere.', restsOn: [first.at] }];
  });
};

const EACH: readonly ExtraRule[] = [
  publishNeedsListen,
  connectionsExist,
  connectionsCarryCredentials,
  connectionsCarryAuthorities,
  variablesDiffer,
  secretsGoByFile,
  argumentsHoldNoPassword,
  mountsDiffer,
];

const eachExtraService: Rule = ({ settings, services }) => {
  const targets = new Map(services.flatMap((service) => (service.target ? [[service.target, service]] : [])));
  return Object.entries(settings.extraServices).flatMap(([name, extra]) =>
    EACH.flatMap((rule) => rule(extra, ['extraServices', name], targets)),
  );
};

export const EXTRA_SERVICE_RULES: readonly Rule[] = [eachExtraService];
