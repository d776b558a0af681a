import type { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { type Endpoint, SecretRef, Service, type Workload } from '../constructs/model/index.js';
import * as services from '../constructs/services/index.js';
import { synthesiseWorkloads } from './support/synth.js';

/** Something to connect to, for constructs that need a server. */
function server(scope: Construct, id: string, credential?: SecretRef): Endpoint {
  const service = new Service(scope, id, {
    image: { reference: 'server:1' },
    user: { uid: 1, gid: 1 },
    memoryMiB: 8,
    healthCheck: { command: ['true'] },
  });
  return service.expose('http', { scheme: 'http', port: 1, credential, user: 'someone' });
}

type WorkloadClass = Exclude<
  keyof typeof services,
  'ExternalLlm' | 'ExternalPostgres' | 'ExternalQdrant' | 'giveVolumesToTheirOwners' | 'vllmFlagProblems'
>;

/** How to make each exported workload with nothing but its required props. Forgetting one does not compile. */
const MINIMAL: Record<WorkloadClass, (scope: Construct) => Workload> = {
  AgentExporter: (scope) =>
    new services.AgentExporter(scope, 'subject', {
      numbers: server(scope, 'postgres', new SecretRef('postgres-password', 'test')),
      knowledge: server(scope, 'qdrant'),
      settings: { courses: ['demo'], collections: ['c'] },
    }),
  Alertmanager: (scope) => new services.Alertmanager(scope, 'subject'),
  DcgmExporter: (scope) => new services.DcgmExporter(scope, 'subject'),
  EmbeddingServer: (scope) => new services.EmbeddingServer(scope, 'subject'),
  ExtraService: (scope) => new services.ExtraService(scope, 'subject', { image: 'extra:1' }),
  Grafana: (scope) => new services.Grafana(scope, 'subject', { prometheus: server(scope, 'prometheus') }),
  GrafanaAdmin: (scope) => {
    const grafana = new services.Grafana(scope, 'grafana', { prometheus: server(scope, 'prometheus') });
    return new services.GrafanaAdmin(scope, 'subject', { grafana });
  },
  HuggingFaceModel: (scope) =>
    new services.HuggingFaceModel(scope, 'subject', {
      user: { uid: 5, gid: 5 },
      repository: 'owner/model',
      revision: 'main',
      token: false,
      volume: { id: 'models', path: '/models' },
    }),
  LlamaCppServer: (scope) =>
    new services.LlamaCppServer(scope, 'subject', {
      model: { name: 'm', file: 'm.gguf', url: 'https://models.example/m.gguf', sha256: '0'.repeat(64) },
    }),
  NodeExporter: (scope) => {
    const exporter = new services.NodeExporter(scope, 'subject');
    new services.Prometheus(scope, 'client').scrape('node', exporter.metrics);
    return exporter;
  },
  Postgres: (scope) => new services.Postgres(scope, 'subject'),
  PostgresExporter: (scope) =>
    new services.PostgresExporter(scope, 'subject', { role: new services.Postgres(scope, 'postgres').role('reader') }),
  PostgresLogins: (scope) => {
    const postgres = new services.Postgres(scope, 'postgres');
    const role = postgres.role('app', { inTurn: true });
    new services.PostgresRoles(scope, 'roles', { postgres, roles: [{ endpoint: role, grants: 'history' }] });
    return new services.PostgresLogins(scope, 'subject', { postgres, roles: [role] });
  },
  PostgresMigrations: (scope) =>
    new services.PostgresMigrations(scope, 'subject', {
      postgres: new services.ExternalPostgres(scope, 'postgres', { url: 'postgresql://role@db.example/name' }),
    }),
  PostgresRoles: (scope) => {
    const postgres = new services.Postgres(scope, 'postgres');
    return new services.PostgresRoles(scope, 'subject', {
      postgres,
      roles: [{ endpoint: postgres.role('reader'), grants: 'history' }],
    });
  },
  Prometheus: (scope) => new services.Prometheus(scope, 'subject'),
  Qdrant: (scope) => new services.Qdrant(scope, 'subject'),
  QdrantCollections: (scope) =>
    new services.QdrantCollections(scope, 'subject', {
      qdrant: new services.Qdrant(scope, 'qdrant').http,
      collections: [{ name: 'c', language: 'russian' }],
    }),
  RagApi: (scope) =>
    new services.RagApi(scope, 'subject', {
      retrieval: server(scope, 'qdrant', new SecretRef('qdrant-key', 'test')),
      llm: server(scope, 'llm', new SecretRef('llm-key', 'test')),
      history: server(scope, 'postgres', new SecretRef('postgres-password', 'test')),
      settings: {
        collections: [{ name: 'c', language: 'russian', limit: 3 }],
        courses: ['demo'],
        noContext: 'refuse',
        llm: {
          model: 'm',
          contextTokens: 2048,
          systemPrompt: 's',
          sampling: { temperature: 0, topP: 1, presencePenalty: 0, frequencyPenalty: 0, maxTokens: 1 },
        },
        limits: { messageCharacters: 1, concurrentStreams: 1, firstTokenSeconds: 1, idleSeconds: 1, totalSeconds: 1 },
      },
    }),
  VllmServer: (scope) => new services.VllmServer(scope, 'subject', { model: { name: 'owner/model' } }),
  VolumeOwnership: (scope) =>
    new services.VolumeOwnership(scope, 'subject', { uid: 5, gid: 5 }, [{ id: 'data', path: '/data' }]),
  WebBot: (scope) =>
    new services.WebBot(scope, 'subject', {
      api: server(scope, 'api', new SecretRef('api-key', 'test')),
      settings: {
        courses: ['demo'],
        messageCharacters: 100,
        api: { firstTokenSeconds: 60, idleSeconds: 60, totalSeconds: 300 },
      },
    }),
};

/** What each workload is allowed beyond the default, so that a new exception shows in review. */
const EXCEPTIONS: Partial<Record<WorkloadClass, readonly string[]>> = {
  NodeExporter: ['hostNetwork', 'hostPid'],
  VolumeOwnership: ['capabilities', 'root'],
};

/** Whose image keeps its files for the group of root. The user is another, and no capability comes with the group. */
const GROUP_OF_ROOT: readonly WorkloadClass[] = ['Grafana'];

describe.each(Object.entries(MINIMAL))('%s', (name, make) => {
  const build = () => {
    let workload: Workload | undefined;
    const synthesised = synthesiseWorkloads((stack) => {
      workload = make(stack);
    });
    if (!workload) throw new Error('nothing was built');
    return { workload, synthesised, container: synthesised.container('subject') };
  };

  test('is hardened unless it says why not', () => {
    const { workload, container } = build();
    const relaxed = Object.entries(workload.hardening)
      .filter(([field, value]) => {
        const hardened = field === 'readOnlyRoot' || field === 'noNewPrivileges';
        return Array.isArray(value) ? value.length > 0 : value !== hardened;
      })
      .map(([field]) => field)
      .sort();
    expect(relaxed).toEqual(EXCEPTIONS[name as WorkloadClass] ?? []);
    if (relaxed.length > 0) expect(workload.relaxReason?.length).toBeGreaterThan(20);
    expect(container).toMatchObject({
      read_only: !relaxed.includes('readOnlyRoot'),
      capabilities: { drop: ['ALL'] },
      security_opts: relaxed.includes('hostPid')
        ? ['no-new-privileges:true', 'label=disable']
        : ['no-new-privileges:true'],
      init: true,
    });
    expect(container).not.toHaveProperty('privileged');
    expect(container.capabilities.add ?? []).toEqual(workload.hardening.capabilities.map((it) => `CAP_${it}`));
    const group = GROUP_OF_ROOT.includes(name as WorkloadClass) ? '0' : '[1-9]\\d*';
    expect(container.user).toMatch(relaxed.includes('root') ? /^0:0$/ : new RegExp(`^[1-9]\\d*:${group}$`));
    expect(container.network_mode).toBe(relaxed.includes('hostNetwork') ? 'host' : networkModeWithout(container));
  });

  test('limits memory without swap, keeps logs bounded, and has time to stop', () => {
    const { container } = build();
    expect(container.memory).toBeGreaterThan(0);
    expect(container.memory_swap).toBe(container.memory);
    expect(container).toMatchObject({ log_driver: 'local', log_opts: { 'max-size': '10m', 'max-file': '3' } });
    expect(container.destroy_grace_seconds).toBeGreaterThanOrEqual(10);
    expect(container.stop_timeout).toBe(container.destroy_grace_seconds);
  });

  test('pins its image and names it by id', () => {
    const { container, synthesised } = build();
    expect(container.image).toMatch(/^\$\{docker_image\.[\w-]+\.image_id\}$/);
    for (const image of Object.values(synthesised.images)) {
      expect(image.name).toMatch(/:[^:]+$/);
      expect(image.name).not.toContain(':latest');
      expect(image).toMatchObject({ keep_locally: true, lifecycle: { create_before_destroy: true } });
    }
  });

  test('runs all the time with a health check, or once with its exit code checked', () => {
    const { workload, container } = build();
    if (Service.isService(workload)) {
      expect(container).toMatchObject({ restart: 'unless-stopped', must_run: true });
      // A container that is not ours has the health check of its image.
      if (name !== 'ExtraService') expect(container.healthcheck.test.length).toBeGreaterThan(1);
      return;
    }
    expect(container).toMatchObject({ restart: 'no', must_run: false, attach: true, logs: true });
    expect(container.lifecycle.postcondition[0].condition).toBe('${self.exit_code == 0}');
    expect(container.lifecycle.postcondition[0].error_message).toContain('docker rm test-subject');
    expect(container.ports).toBeUndefined();
  });

  test('gets its secrets as files of its own user, and nothing secret in its environment', () => {
    const { workload, synthesised, container } = build();
    for (const entry of container.env as string[]) {
      // A switch is no secret, whatever it is called.
      if (/=(true|false)$/.test(entry)) continue;
      if (/(PASSWORD|KEY|TOKEN|SECRET)/.test(entry.split('=')[0] ?? ''))
        expect(entry).toMatch(/_FILE=\/run\/secrets\/|=\$__file\{\/run\/secrets\/[^}]+\}$/);
    }
    const uploads = (synthesised.containers.subject_files?.upload ?? []) as Record<string, string>[];
    const secrets = uploads.filter((upload) => upload.source !== undefined);
    expect(secrets.map((upload) => upload.file)).toEqual(
      workload.secrets.map((secret) => `/ragdock/secrets/${secret.name}.v1`),
    );
    for (const upload of secrets) {
      expect(upload).toMatchObject({
        permissions: '0400',
        owner: String(workload.user.uid),
        group: String(workload.user.gid),
      });
      expect(Object.keys(upload).filter((key) => key.startsWith('content'))).toEqual([]);
    }
  });
});

function networkModeWithout(container: Record<string, unknown>): 'none' | undefined {
  return container.networks_advanced === undefined ? 'none' : undefined;
}

test('a files container is never started and reaches no network', () => {
  const { containers } = synthesiseWorkloads((stack) => void new services.Postgres(stack, 'subject'));
  expect(containers.subject_files).toMatchObject({
    start: false,
    must_run: false,
    network_mode: 'none',
    restart: 'no',
  });
});
