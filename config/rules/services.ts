import { nearest } from '../../src/errors/nearest.js';
import { contextOf, type LlmSettings, scrapeJobOf } from '../llm.js';
import type { Finding, Rule } from '../rules.js';
import { holdsPassword } from '../secret-names.js';

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
  waitsInOrder,
  sharesFit,
];
