import { IMAGES } from '../../constructs/images.js';
import type { Finding, Rule } from '../rules.js';

const UNITS: Readonly<Record<string, number>> = { kB: 1 / 1024, MB: 1, GB: 1024 };

/** An amount of postgresql.conf in MiB: its kB, MB and GB are powers of 1024. */
const mebibytes = (amount: string): number => Number.parseInt(amount, 10) * (UNITS[amount.replace(/^\d+/, '')] ?? 1);

const sharedBuffersFit: Rule = ({ settings: { services } }) => {
  const { settings, memory } = services.postgres;
  if (mebibytes(settings.shared_buffers) <= memory / 2) return [];
  return [
    {
      path: ['services', 'postgres', 'settings', 'shared_buffers'],
      message: `${settings.shared_buffers} is more than half of the memory limit of ${memory} MiB; sessions need the rest`,
      remedy: 'Lower it, or raise `services.postgres.memory`.',
      restsOn: [['services', 'postgres', 'memory']],
    },
  ];
};

const walSizesInOrder: Rule = ({ settings: { services } }) => {
  const { min_wal_size, max_wal_size } = services.postgres.settings;
  if (mebibytes(min_wal_size) <= mebibytes(max_wal_size)) return [];
  const path = ['services', 'postgres', 'settings'];
  return [
    {
      path: [...path, 'min_wal_size'],
      message: `${min_wal_size} is more than max_wal_size, ${max_wal_size}`,
      remedy: 'Lower min_wal_size, or raise max_wal_size.',
      restsOn: [[...path, 'max_wal_size']],
    },
  ];
};

/** The lock file promises the major version, so the tag has to tell it. */
const postgresTagTellsMajor: Rule = ({ settings: { services } }) => {
  const { image } = services.postgres;
  const major = Number(/:(\d+)[^/]*$/.exec(image?.replace(/@.*$/, '') ?? IMAGES.postgres)?.[1]);
  if (major >= 15) return [];
  return [
    {
      path: ['services', 'postgres', 'image'],
      message: `the tag of ${image} does not start with a major version from 15 on`,
      remedy: `Use a tag like that of ${IMAGES.postgres}.`,
    },
  ];
};

/** Roles that the stack has itself, or that PostgreSQL keeps for itself; `all` would let in every other one. */
const OWN_ROLES = /^(postgres|(rag_api|[a-z]+_exporter)(_[12])?|pg_.*|all|public|none)$/;

/** Whether a role for somebody outside may not have this name. */
export const isOwnRole = (name: string): boolean => OWN_ROLES.test(name);

/** What stands in the rules of who may come in for other databases than one, and what every cluster has. */
const NO_DATABASE = /^(all|sameuser|samerole|samegroup|replication|template[01])$/;

const databaseIsOne: Rule = ({ settings: { services } }) =>
  NO_DATABASE.test(services.postgres.database)
    ? [
        {
          path: ['services', 'postgres', 'database'],
          message: `${services.postgres.database} is a word of PostgreSQL, or a database that every server has`,
          remedy: 'Give the database another name.',
        },
      ]
    : [];

const outsideRolesAreFree: Rule = ({ settings: { services } }) =>
  Object.keys(services.postgres.roles)
    .filter(isOwnRole)
    .map((name) => ({
      code: 'NAME_CLASH',
      path: ['services', 'postgres', 'roles', name],
      message: `the role ${name} belongs to the stack or to PostgreSQL itself`,
      remedy: 'Give the role another name.',
    }));

/** The widest network that a role may come from: an eighth of all addresses says nothing about who comes. */
const LEAST_PREFIX = 8;

const outsideRolesComeFromSomewhere: Rule = ({ settings: { services } }) =>
  Object.entries(services.postgres.roles).flatMap(([name, { from }]) =>
    from.flatMap((network, index): Finding[] => {
      if (Number(network.split('/')[1]) >= LEAST_PREFIX) return [];
      return [
        {
          path: ['services', 'postgres', 'roles', name, 'from', index],
          message: `${network} lets nearly everybody try passwords`,
          remedy: 'Name the networks that the role really comes from, each of /8 or smaller.',
        },
      ];
    }),
  );

const publishedPostgresHasRoles: Rule = ({ settings: { services } }) => {
  const { publish, roles } = services.postgres;
  const path = ['services', 'postgres'];
  const some = Object.keys(roles).length > 0;
  if ((publish !== undefined) === some) return [];
  return [
    publish
      ? {
          path: [...path, 'publish'],
          message: 'nobody could log in through the port: the stack’s own roles are let in by its own networks alone',
          remedy: 'Add a role under `services.postgres.roles`, or leave the port out.',
          restsOn: [[...path, 'roles', '*']],
        }
      : {
          path: [...path, 'roles'],
          message: 'the roles have no way in: no port of PostgreSQL is published',
          remedy: 'Add `services.postgres.publish`, or leave the roles out.',
          restsOn: [[...path, 'publish']],
        },
  ];
};

export const POSTGRES_RULES: readonly Rule[] = [
  sharedBuffersFit,
  walSizesInOrder,
  postgresTagTellsMajor,
  outsideRolesAreFree,
  databaseIsOne,
  outsideRolesComeFromSomewhere,
  publishedPostgresHasRoles,
];
