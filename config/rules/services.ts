import { IMAGES } from '../../constructs/images.js';
import { nearest } from '../../src/errors/nearest.js';
import { contextOf, type LlmSettings, scrapeJobOf } from '../llm.js';
import type { Finding, Rule } from '../rules.js';
import { holdsPassword } from '../secret-names.js';
import { LOOPBACK } from './network.js';

const answeringModelExists: Rule = ({ settings: { services } }) => {
  const models = Object.keys(services.llm);
  const { llm } = services.api;
  if (models.includes(llm)) return [];
  const meant = nearest(llm, models) ?? models[0];
  return [
    {
      path: ['services', 'api', 'llm'],
      message: `there is no model '${llm}' in services.llm`,
      remedy: meant === undefined ? `Describe it under \`services.llm.${llm}\`.` : `Did you mean \`${meant}\`?`,
      restsOn: [['services', 'llm', '*']],
    },
  ];
};

/** How a model's context came to its size, what to do when that is too small, and the settings behind it. */
function contextOrigin(llm: LlmSettings): readonly [how: string, remedy: string, limits: readonly string[]] {
  switch (llm.engine) {
    case 'vllm':
      return ['maxModelLen', 'Lower maxTokens, or raise maxModelLen.', ['maxModelLen']];
    case 'openai':
      return ['contextLength', 'Lower maxTokens, or raise contextLength.', ['contextLength']];
    case 'llama.cpp':
      return [
        `contextLength ${llm.contextLength} / parallel ${llm.parallel}`,
        'Lower maxTokens or parallel, or raise contextLength.',
        ['contextLength', 'parallel'],
      ];
  }
}

const answerFitsContext: Rule = ({ settings: { services } }) =>
  Object.entries(services.llm).flatMap(([name, llm]): Finding[] => {
    const path = ['services', 'llm', name];
    const { maxTokens } = llm.sampling;
    const context = contextOf(llm);
    if (maxTokens < context) return [];
    const [how, remedy, limits] = contextOrigin(llm);
    return [
      {
        path: [...path, 'sampling', 'maxTokens'],
        message: `${maxTokens} tokens of answer leave no room for a question: one request has ${context} tokens (${how})`,
        remedy,
        restsOn: limits.map((limit) => [...path, limit]),
      },
    ];
  });

/** A limit of one client that is above the limit of all could never be met. */
const sharesFit: Rule = ({ settings: { services } }) => {
  const { api, webBot } = services;
  const shares = [
    ['api', api.limits, 'streamsPerKey', 'concurrentStreams'],
    ['api', api.limits, 'streamsPerAddress', 'concurrentStreams'],
    ['api', api.limits, 'connectionsPerAddress', 'connections'],
    ['webBot', webBot.limits, 'connectionsPerAddress', 'connections'],
  ] as const;
  return shares.flatMap(([service, limits, share, whole]): Finding[] => {
    const given = limits as Readonly<Record<string, number | undefined>>;
    const [ofOne, ofAll] = [given[share], given[whole]];
    if (ofOne === undefined || ofAll === undefined || ofOne <= ofAll) return [];
    return [
      {
        path: ['services', service, 'limits', share],
        message: `one client may have ${ofOne}, but all together ${ofAll} (${whole})`,
        remedy: `Lower ${share}, or raise ${whole}.`,
        restsOn: [['services', service, 'limits', whole]],
      },
    ];
  });
};

/** Scrape jobs of the stack's other services, whether they are enabled or not: one that comes later keeps its name. */
export const SCRAPE_JOBS: ReadonlySet<string> = new Set([
  'agent_metrics',
  'alertmanager',
  'node',
  'postgres',
  'prometheus',
  'qdrant',
  'rag-api',
]);

const scrapeJobsDiffer: Rule = ({ settings: { services } }) => {
  const jobs = Object.entries(services.llm).map(([name, llm]) => ({
    job: scrapeJobOf(name, llm),
    given: llm.job !== undefined,
    path: ['services', 'llm', name, 'job'],
  }));
  return jobs.flatMap(({ job, given, path }, index): Finding[] => {
    // Of two models, the one whose job was chosen has to change; of two that were, the later.
    const other = jobs.find((one, at) => one.job === job && at !== index && (!one.given || at < index));
    if (!given || (!other && !SCRAPE_JOBS.has(job))) return [];
    const owner = other ? `services.llm.${other.path[2]}` : "one of the stack's own services";
    return [
      {
        code: 'NAME_CLASH',
        path,
        message: `the scrape job ${job} belongs to ${owner} already`,
        remedy: 'Give the job another name, or leave it out.',
        restsOn: other ? [other.path] : [],
      },
    ];
  });
};

/** What is nothing without Prometheus, and why. */
const NEEDS_PROMETHEUS = [
  ['nodeExporter', 'the node exporter has nobody to report to'],
  ['dcgmExporter', 'the GPU exporter has nobody to report to'],
  ['agentExporter', 'the agent exporter has nobody to report to'],
  ['postgresExporter', 'the PostgreSQL exporter has nobody to report to'],
  ['alertmanager', 'nobody would send alerts to Alertmanager'],
  ['grafana', 'Grafana has nothing to show'],
] as const;

const prometheusIsThere: Rule = ({ settings: { services } }) =>
  NEEDS_PROMETHEUS.filter(([name]) => services[name].enabled && !services.prometheus.enabled).map(([name, why]) => ({
    path: ['services', name, 'enabled'],
    message: `${why}: Prometheus is not enabled`,
    remedy: `Set \`services.${name}.enabled: false\`, or enable Prometheus.`,
    restsOn: [['services', 'prometheus', 'enabled']],
  }));

const alertsAreEvaluated: Rule = ({ settings: { services } }) => {
  if (!services.alertmanager.enabled || !services.prometheus.enabled || services.prometheus.alerts) return [];
  return [
    {
      path: ['services', 'alertmanager', 'enabled'],
      message: 'no alert would ever come: Prometheus evaluates no rules',
      remedy: 'Set `services.prometheus.alerts: true`, or leave Alertmanager out.',
      restsOn: [['services', 'prometheus', 'alerts']],
    },
  ];
};

const webhookUrlHoldsNoPassword: Rule = ({ settings: { services } }) => {
  const { webhook } = services.alertmanager;
  if (!webhook || !holdsPassword(webhook.url)) return [];
  return [
    {
      path: ['services', 'alertmanager', 'webhook', 'url'],
      message: 'the URL holds a password; everybody who may read this file would see it',
      remedy: 'Take it out, and set `token: true`: a token is a secret of the stack.',
    },
  ];
};

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
    .filter((name) => OWN_ROLES.test(name))
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

/** A key guards /v1 alone: /invocations answers a chat without one. (observed on vLLM 0.32.0) */
const vllmStaysOnTheHost: Rule = ({ settings: { services } }) =>
  Object.entries(services.llm).flatMap(([name, llm]): Finding[] => {
    if (llm.engine !== 'vllm' || !llm.publish || llm.publish.address === LOOPBACK) return [];
    const path = ['services', 'llm', name, 'publish', 'address'];
    return [
      {
        path,
        message: 'other machines could ask the model without its key: vLLM answers POST /invocations to anybody',
        remedy: `Use ${LOOPBACK}, and let other machines ask the RAG API or come through an SSH tunnel.`,
        restsOn: [['services', 'llm', name, 'engine']],
      },
    ];
  });

const waitsInOrder: Rule = ({ settings: { services } }) => {
  const { limits } = services.api;
  const path = ['services', 'api', 'limits'];
  return (['firstTokenSeconds', 'idleSeconds'] as const)
    .filter((wait) => limits[wait] > limits.totalSeconds)
    .map((wait) => ({
      path: [...path, wait],
      message: `${limits[wait]} seconds are more than totalSeconds, ${limits.totalSeconds}, after which the answer ends`,
      remedy: `Lower ${wait}, or raise totalSeconds.`,
      restsOn: [[...path, 'totalSeconds']],
    }));
};

export const SERVICE_RULES: readonly Rule[] = [
  answeringModelExists,
  answerFitsContext,
  scrapeJobsDiffer,
  prometheusIsThere,
  alertsAreEvaluated,
  webhookUrlHoldsNoPassword,
  sharedBuffersFit,
  walSizesInOrder,
  postgresTagTellsMajor,
  waitsInOrder,
  sharesFit,
  outsideRolesAreFree,
  databaseIsOne,
  outsideRolesComeFromSomewhere,
  publishedPostgresHasRoles,
  vllmStaysOnTheHost,
];
