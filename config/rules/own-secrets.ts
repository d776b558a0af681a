import { type Path, showPath } from '../located.js';
import type { Finding, Rule } from '../rules.js';
import type { Settings } from '../schema.js';
import { isOwnRole } from './postgres.js';

/** A secret that the stack makes for one of its own services, or is given for it. */
export interface OwnSecret {
  readonly name: string;
  /** The setting that it belongs to, as it is shown. */
  readonly owner: string;
  readonly path: Path;
}

/** Every secret of the stack's own; a role with a name that it may not have is told by its name, and left out here. */
export function ownSecrets({ services }: Settings): readonly OwnSecret[] {
  const { postgres, qdrant, llm, webBot, embeddings, postgresExporter, agentExporter, alertmanager, grafana } =
    services;
  const owned = (isThere: boolean, keys: readonly string[], ...names: readonly string[]): readonly OwnSecret[] => {
    const path = ['services', ...keys];
    return isThere ? names.map((name) => ({ name, owner: showPath(path), path })) : [];
  };
  return [
    ...owned(true, ['api'], 'rag-api-key'),
    ...owned(webBot.enabled, ['webBot'], 'rag-api-web-bot-key', 'web-bot-session-key'),
    ...owned(!postgres.external, ['postgres'], 'postgres-superuser-password', 'postgres-rag-api-password'),
    ...owned(postgresExporter.enabled, ['postgresExporter'], 'postgres-postgres-exporter-password'),
    ...owned(agentExporter.enabled, ['agentExporter'], 'postgres-agent-exporter-password'),
    ...Object.keys(postgres.roles).flatMap((role) =>
      owned(!isOwnRole(role), ['postgres', 'roles', role], `postgres-${role.replaceAll('_', '-')}-password`),
    ),
    ...owned(embeddings.enabled, ['embeddings'], 'embeddings-api-key'),
    ...owned(embeddings.enabled && embeddings.model.token, ['embeddings'], 'embeddings-model-token'),
    ...owned(!qdrant.external, ['qdrant'], 'qdrant-api-key'),
    ...owned(grafana.enabled, ['grafana'], 'grafana-admin-password', 'grafana-secret-key'),
    ...owned(alertmanager.webhook?.token === true, ['alertmanager'], 'alertmanager-webhook-token'),
    ...Object.entries(llm).flatMap(([name, server]) => {
      if (server.engine === 'openai') return [];
      const token = server.engine === 'vllm' && server.model.token ? [`llm-${name}-model-token`] : [];
      return owned(true, ['llm', name], `llm-${name}-api-key`, ...token);
    }),
  ];
}

/** Two owners of one name would be given one value: a role with the superuser's secret would be told its password. */
const ownSecretsDiffer: Rule = ({ settings }) => {
  const secrets = ownSecrets(settings);
  return secrets.flatMap(({ name, path }, index): Finding[] => {
    const first = secrets.slice(0, index).find((earlier) => earlier.name === name);
    if (!first) return [];
    const message = `its secret would be ${name}, which is that of ${first.owner}`;
    return [{ code: 'NAME_CLASH', path, message, remedy: 'Choose another name.', restsOn: [first.path] }];
  });
};

export const OWN_SECRET_RULES: readonly Rule[] = [ownSecretsDiffer];
