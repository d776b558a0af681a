import { RootConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { filesVolumes, Topology } from '../../../../constructs/engines/docker/index.js';
import { type ConfigFile, SecretRef, type Service } from '../../../../constructs/model/index.js';
import { CARRIER_FILE } from '../../../../src/apps/dockerfile.js';
import { lockFor, synthesiseWorkloads } from '../../../support/synth.js';
import { aService } from '../../../support/workloads.js';

const key = new SecretRef('server-key', 'opens the server');

/** The volumes of a service called `service`, by their ids. */
function volumesOf(build: (service: Service) => void, secretVersion = 1) {
  const root = new RootConstruct();
  const service = aService(root, 'service');
  build(service);
  const lock = lockFor(root);
  const secrets = Object.fromEntries(Object.keys(lock.secrets).map((name) => [name, { version: secretVersion }]));
  const volumes = filesVolumes(service, new Topology(root, 'test', { ...lock, secrets }));
  return new Map(volumes.map((volume) => [volume.id, volume]));
}

const nameOf = (id: string, build: (service: Service) => void, secretVersion?: number): string | undefined =>
  volumesOf(build, secretVersion).get(id)?.name;

const holding = (onChange: ConfigFile['onChange'], files: Readonly<Record<string, string>>) => (service: Service) => {
  for (const [path, content] of Object.entries(files)) service.addConfigFile({ path, content, onChange });
};

describe('files that replace their reader', () => {
  test('have a volume with a name for their content', () => {
    const before = nameOf('etc-app', holding('replace', { '/etc/app/a': 'one' }));

    expect(before).toMatch(/^test-service-etc-app-[0-9a-f]{10}$/);
    expect(nameOf('etc-app', holding('replace', { '/etc/app/a': 'one' }))).toBe(before);
    expect(nameOf('etc-app', holding('replace', { '/etc/app/a': 'two' }))).not.toBe(before);
    expect(nameOf('etc-app', holding('replace', { '/etc/app/b': 'one' }))).not.toBe(before);
  });

  test('do not depend on the order in which they were added', () => {
    expect(nameOf('etc-app', holding('replace', { '/etc/app/a': '1', '/etc/app/b': '2' }))).toBe(
      nameOf('etc-app', holding('replace', { '/etc/app/b': '2', '/etc/app/a': '1' })),
    );
  });

  test('of another folder are another volume, which keeps its name', () => {
    const before = volumesOf(holding('replace', { '/etc/app/a': '1', '/etc/other/b': '1' }));
    const after = volumesOf(holding('replace', { '/etc/app/a': '1', '/etc/other/b': '2' }));

    expect([...before.keys()]).toEqual(['etc-app', 'etc-other']);
    expect(after.get('etc-app')?.name).toBe(before.get('etc-app')?.name);
    expect(after.get('etc-other')?.name).not.toBe(before.get('etc-other')?.name);
  });

  test('may be written from who is connected', () => {
    const content: ConfigFile['content'] = (context) => `clients: ${context.clients().length}`;
    const [volume] = volumesOf((service) => {
      service.addConfigFile({ path: '/etc/app/a', content, onChange: 'replace' });
      aService(service, 'client').connectTo(service.expose('http', { scheme: 'http', port: 80 }));
    }).values();

    expect(volume?.files).toEqual([{ name: 'a', content: { text: 'clients: 1' } }]);
  });
});

describe('files that a running reader reloads', () => {
  const two = nameOf('etc-app', holding('reload', { '/etc/app/a': '1', '/etc/app/b': '1' }));

  test('keep their volume when their content changes', () => {
    expect(two).toMatch(/^test-service-etc-app-[0-9a-f]{10}$/);
    expect(nameOf('etc-app', holding('reload', { '/etc/app/a': '2', '/etc/app/b': '2' }))).toBe(two);
  });

  test.each([
    ['is added', { '/etc/app/a': '1', '/etc/app/b': '1', '/etc/app/c': '1' }],
    ['is removed, so that it does not linger', { '/etc/app/a': '1' }],
    ['is renamed', { '/etc/app/a': '1', '/etc/app/c': '1' }],
  ])('get another volume when one %s', (_change, files) => {
    expect(nameOf('etc-app', holding('reload', files))).not.toBe(two);
  });
});

describe('secrets', () => {
  const withSecrets =
    (...names: string[]) =>
    (service: Service) => {
      for (const name of names) service.addSecret(new SecretRef(name, 'a test'));
    };

  test('are files named after their version, in a volume whose name never changes', () => {
    expect(volumesOf(withSecrets('server-key')).get('secrets')).toEqual({
      id: 'secrets',
      name: 'test-service-secrets',
      mountPath: '/run/secrets',
      files: [{ name: 'server-key.v1', content: { secret: 'server-key', version: 1 } }],
    });
    expect(nameOf('secrets', withSecrets('server-key'), 2)).toBe('test-service-secrets');
    expect(nameOf('secrets', withSecrets('server-key', 'other-key'))).toBe('test-service-secrets');
  });

  test('have no volume where there are none', () => {
    expect([...volumesOf(holding('replace', { '/etc/app/a': '1' })).keys()]).toEqual(['etc-app']);
  });
});

describe('the files container', () => {
  const { container, files, volumes } = synthesiseWorkloads(
    (stack) => {
      const service = aService(stack, 'service', { user: { uid: 5, gid: 6 } });
      service.addConfigFile({ path: '/etc/app/app.conf', content: 'text with ${X}\n', onChange: 'replace' });
      service.addSecret(key);
    },
    { secrets: { 'server-key': { version: 3 } } },
  );
  const etc = volumes['service_etc-app']?.name;

  test('carries every file into the volume that the service mounts for reading only', () => {
    expect(etc).toMatch(/^test-service-etc-app-/);
    expect(container('service_files').mounts).toEqual([
      { type: 'volume', source: etc, target: '/ragdock/etc-app' },
      { type: 'volume', source: 'test-service-secrets', target: '/ragdock/secrets' },
    ]);
    expect(container('service').mounts).toEqual([
      { type: 'volume', source: etc, target: '/etc/app', read_only: true },
      { type: 'volume', source: 'test-service-secrets', target: '/run/secrets', read_only: true },
    ]);
    expect(files('service_files')).toEqual({
      '/ragdock/etc-app/app.conf': 'text with ${X}\n',
      '/ragdock/secrets/server-key.v3': '${path.module}/../../../.ragdock/secrets/test/server-key.v3',
    });
  });

  test('gives secrets to the user of the service alone, and configuration to all for reading', () => {
    expect(container('service_files').upload).toEqual([
      expect.objectContaining({ file: '/ragdock/etc-app/app.conf', permissions: '0444' }),
      expect.objectContaining({ permissions: '0400', owner: '5', group: '6' }),
    ]);
  });

  test('is made of an image of its own, which every one of them shares and which has nothing in it to run', () => {
    const { container, images } = synthesiseWorkloads((stack) => {
      for (const id of ['a', 'b']) aService(stack, id).addSecret(key);
    });

    expect(container('a_files').image).toBe('${docker_image.files-carrier.image_id}');
    expect(container('b_files').image).toBe(container('a_files').image);
    expect(images['files-carrier']).toMatchObject({
      build: { context: '../../../dist/apps', dockerfile: CARRIER_FILE },
      keep_locally: true,
      lifecycle: { create_before_destroy: true },
    });
  });

  test('is never started and reaches no network', () => {
    expect(container('service_files')).toMatchObject({ start: false, must_run: false, network_mode: 'none' });
  });

  test('is there before the service, and after its volumes', () => {
    expect(container('service').depends_on).toContain('docker_container.service_files');
    expect(container('service_files').depends_on).toEqual([
      'docker_volume.service_etc-app',
      'docker_volume.service_secrets',
    ]);
  });

  test('stops a plan that lacks a secret, unless the plan is made without secrets', () => {
    expect(container('service_files').lifecycle.precondition).toEqual([
      {
        condition:
          '${var.plan_without_secrets || fileexists("${path.module}/../../../.ragdock/secrets/test/server-key.v3")}',
        error_message:
          'SECRET_MISSING: the store holds no value for server-key (version 3). Run: npx ragdock secrets init test',
      },
    ]);
  });

  test('needs nothing of the store for a service without secrets', () => {
    const { container } = synthesiseWorkloads((stack) => {
      aService(stack, 'service').addConfigFile({ path: '/etc/app/a', content: '', onChange: 'replace' });
    });
    expect(container('service_files')).not.toHaveProperty('lifecycle');
  });

  test('is left out for a service without files', () => {
    const { containers } = synthesiseWorkloads((stack) => void aService(stack, 'service'));
    expect(Object.keys(containers)).toEqual(['service']);
  });
});
