import type { Path } from '../located.js';
import type { Finding, Rule, RuleContext } from '../rules.js';
import type { Settings } from '../schema.js';
import { holdsPassword } from '../secret-names.js';
import { ownSecrets } from './own-secrets.js';

/** The name under which a container reaches the machine of its engine. */
const ENGINE_HOST = 'host.docker.internal';

/** A server outside the stack, as far as the rules have to know it. */
interface External {
  /** Path of its settings, under which its URL is. */
  readonly path: Path;
  readonly url: string;
  readonly metrics: { readonly url: string; readonly key: boolean } | undefined;
  readonly acknowledge: string | undefined;
  /** Whether what is said to it can be read on the way. */
  readonly clear: boolean;
  /** Whether it has certificates of private authorities to be checked against. */
  readonly ca: boolean;
  /** Name of its secret, with the setting that gives it. */
  readonly secret: { readonly name: string; readonly key: string } | undefined;
}

function externalsOf({ services: { postgres, qdrant, llm } }: Settings): readonly External[] {
  const isClear = (url: string) => url.startsWith('http:');
  const sql = postgres.external;
  const vectors = qdrant.external;
  return [
    ...(sql
      ? [
          {
            path: ['services', 'postgres', 'external'],
            url: sql.url,
            metrics: undefined,
            acknowledge: sql.acknowledge,
            clear: sql.sslMode === 'disable',
            ca: (sql.ca ?? sql.caFile) !== undefined,
            secret: { name: sql.passwordSecret ?? '', key: 'passwordSecret' },
          },
        ]
      : []),
    ...(vectors
      ? [
          {
            path: ['services', 'qdrant', 'external'],
            ...vectors,
            clear: isClear(vectors.url),
            ca: (vectors.ca ?? vectors.caFile) !== undefined,
            metrics: vectors.metrics,
            acknowledge: vectors.acknowledge,
            secret: { name: vectors.keySecret ?? 'qdrant-api-key', key: 'keySecret' },
          },
        ]
      : []),
    ...Object.entries(llm).flatMap(([name, server]) =>
      server.engine === 'openai'
        ? [
            {
              path: ['services', 'llm', name],
              url: server.url,
              metrics: server.metrics,
              acknowledge: server.acknowledge,
              clear: isClear(server.url),
              ca: (server.ca ?? server.caFile) !== undefined,
              secret: server.keySecret === undefined ? undefined : { name: server.keySecret, key: 'keySecret' },
            },
          ]
        : [],
    ),
  ];
}

/** Names and addresses that lead each machine, and each container, to itself. */
const isLoopback = (host: string): boolean => /^((.+\.)?localhost|127(\.\d+){3}|0\.0\.0\.0)$/.test(host);

/** What is wrong with an address, whatever it is the address of. The text is never shown where it holds a password. */
function addressFault(text: string, path: Path, isHttp: boolean): Finding | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (holdsPassword(text) || (url && url.password !== '') || (isHttp && url && url.username !== '')) {
    const remedy = 'Take it out, and store it with `ragdock secrets set`.';
    return { path, message: 'the URL holds a password; everybody who may read this file would see it', remedy };
  }
  if (!url) return { path, message: 'the URL cannot be read', remedy: 'Look at its host and its port.' };
  const { hostname } = url;
  if (hostname.startsWith('[')) {
    const message = `${hostname} is an IPv6 address, and the stack’s networks are IPv4`;
    return { path, message, remedy: 'Give a name, or an IPv4 address.' };
  }
  if (isLoopback(hostname)) {
    const message = `${hostname} is each container itself, and not the Docker host`;
    return { path, message, remedy: `Write ${ENGINE_HOST} for a server on the Docker host.` };
  }
  if (url.search !== '' || url.hash !== '') {
    const message = 'the URL has a query or a fragment, which would be lost';
    return { path, message, remedy: 'Remove what follows ? or #.' };
  }
  return undefined;
}

const addressesAreSound: Rule = ({ settings }) =>
  externalsOf(settings)
    .flatMap(({ path, url, metrics }) => [
      addressFault(url, [...path, 'url'], !url.startsWith('postgresql:')) ?? [],
      (metrics && addressFault(metrics.url, [...path, 'metrics', 'url'], true)) ?? [],
    ])
    .flat();

/** Where the way to a server is the network of others, what is said can be read, a key with it. */
const clearTextIsAcknowledged: Rule = ({ settings }) =>
  externalsOf(settings).flatMap(({ path, url, metrics, clear, acknowledge }): Finding[] => {
    if (acknowledge !== undefined) return [];
    const beyond = (text: string) => {
      const host = URL.canParse(text) ? new URL(text).hostname : ENGINE_HOST;
      return host !== ENGINE_HOST && !isLoopback(host);
    };
    const remedy = 'Use TLS, or say why not in `acknowledge`.';
    const restsOn = [[...path, 'acknowledge']];
    const message = 'what is said to it, its credential too, could be read on the way';
    const isSql = url.startsWith('postgresql:');
    return [
      ...(clear && beyond(url) ? [{ path: [...path, isSql ? 'sslMode' : 'url'], message, remedy, restsOn }] : []),
      ...(metrics?.key && metrics.url.startsWith('http:') && beyond(metrics.url)
        ? [{ path: [...path, 'metrics', 'url'], message, remedy, restsOn }]
        : []),
    ];
  });

const authoritiesAreOfUse: Rule = ({ settings }) =>
  externalsOf(settings).flatMap(({ path, clear, ca, metrics }): Finding[] => {
    if (!ca || !clear || metrics?.url.startsWith('https:')) return [];
    const message = 'the connection is not encrypted, so there is no certificate to check';
    return [{ path, message, remedy: 'Use TLS, or remove the certificates.' }];
  });

const metricsKeyIsThere: Rule = ({ settings }) =>
  externalsOf(settings).flatMap(({ path, metrics, secret }): Finding[] => {
    if (!metrics?.key || secret) return [];
    const message = 'the metrics want the key of the server, and it has none';
    return [
      {
        path: [...path, 'metrics', 'key'],
        message,
        remedy: 'Give it a `keySecret`, or remove `key`.',
        restsOn: [[...path, 'keySecret']],
      },
    ];
  });

/** Two owners of one name would be given one value: that of a server outside would open one of the stack. */
const secretsAreTheirOwn: Rule = ({ settings }) => {
  const own = new Map(ownSecrets(settings).map(({ name, owner }) => [name, owner]));
  return externalsOf(settings).flatMap(({ path, secret }): Finding[] => {
    const owner = secret && own.get(secret.name);
    if (!owner) return [];
    const message = `the secret ${secret.name} is that of ${owner}`;
    return [{ code: 'NAME_CLASH', path: [...path, secret.key], message, remedy: 'Choose another name.' }];
  });
};

/** A memory limit or an image of a server that is not deployed would be ignored. */
const nothingElseIsGiven: Rule = ({ settings: { services }, given }: RuleContext) =>
  (['postgres', 'qdrant'] as const).flatMap((name) => {
    if (!services[name].external) return [];
    return Object.keys(services[name])
      .filter((key) => key !== 'external' && given(['services', name, key]))
      .map((key) => ({
        path: ['services', name, key],
        message: `services.${name} is external, so ${key} means nothing: ${MEANING[key] ?? 'it is not deployed here'}`,
        remedy: `Remove \`${key}\`, or \`external\`.`,
        restsOn: [['services', name, 'external']],
      }));
  });

const MEANING: Readonly<Record<string, string>> = {
  database: 'the database is in its URL',
  settings: 'who runs the server tunes it',
  volume: 'its data is elsewhere',
};

const exportersHaveRoles: Rule = ({ settings: { services } }) => {
  if (!services.postgres.external) return [];
  return (['postgresExporter', 'agentExporter'] as const)
    .filter((name) => services[name].enabled)
    .map((name) => ({
      path: ['services', name, 'enabled'],
      message: 'PostgreSQL is external, and nobody here may make the exporter a role there',
      remedy: 'Remove it, and measure the server where it is run.',
      restsOn: [['services', 'postgres', 'external']],
    }));
};

const agentExporterKnowsPoints: Rule = ({ settings: { services } }) => {
  const { external } = services.qdrant;
  if (!services.agentExporter.enabled || !external || external.metrics) return [];
  return [
    {
      path: ['services', 'agentExporter', 'enabled'],
      message: 'Qdrant is external and its metrics are not told, so the exporter could count no passages',
      remedy: 'Set `services.qdrant.external.metrics.url`, or remove the exporter.',
      restsOn: [['services', 'qdrant', 'external']],
    },
  ];
};

export const EXTERNAL_RULES: readonly Rule[] = [
  addressesAreSound,
  clearTextIsAcknowledged,
  authoritiesAreOfUse,
  metricsKeyIsThere,
  secretsAreTheirOwn,
  nothingElseIsGiven,
  exportersHaveRoles,
  agentExporterKnowsPoints,
];
