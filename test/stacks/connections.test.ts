import { expect, test } from 'vitest';
import { devWith, synthesiseEnvironment } from '../support/environments.js';
import type { Resource, Synthesised } from '../support/synth.js';

const NETWORK = /^\$\{docker_network\.(.+)\.id\}$/;

/** Who is on which network, as the containers say: `rag-api--qdrant: qdrant, rag-api`. */
function members({ containers, networks }: Synthesised): Readonly<Record<string, readonly string[]>> {
  const joined = Object.entries(containers).flatMap(([id, container]) =>
    ((container.networks_advanced ?? []) as Resource[]).map(({ name }) => ({ id, network: NETWORK.exec(name)?.[1] })),
  );
  return Object.fromEntries(
    Object.keys(networks).map((network) => [
      network,
      joined
        .filter((member) => member.network === network)
        .map(({ id }) => id)
        .sort(),
    ]),
  );
}

const dev = synthesiseEnvironment(devWith());

test('who reaches whom in dev', () => {
  expect(members(dev)).toEqual({
    // A question on its way
    'web-bot--rag-api': ['rag-api', 'web-bot'],
    'rag-api--qdrant': ['qdrant', 'rag-api'],
    'rag-api--llm-main': ['llm-main', 'rag-api'],
    'rag-api--postgres': ['postgres', 'rag-api'],
    // What prepares the servers
    'postgres-roles--postgres': ['postgres', 'postgres-roles'],
    'postgres-logins--postgres': ['postgres', 'postgres-logins'],
    'qdrant-collections--qdrant': ['qdrant', 'qdrant-collections'],
    // Metrics; node-exporter is on the network of the host
    'prometheus--rag-api': ['prometheus', 'rag-api'],
    'prometheus--qdrant': ['prometheus', 'qdrant'],
    'prometheus--llm-main': ['llm-main', 'prometheus'],
    'prometheus--node-exporter': ['prometheus'],
    // In from the host, and out to the world
    'web-bot--published': ['web-bot'],
    'llm-main-model--egress': ['llm-main-model'],
  });
});

test('everything else reaches nothing', () => {
  const alone = Object.entries(dev.containers)
    .filter(([, container]) => container.networks_advanced === undefined)
    .map(([id, container]) => `${id}: ${container.network_mode}`);

  expect(alone.filter((line) => !/_files: none$|-ownership: none$/.test(line))).toEqual(['node-exporter: host']);
});

test('one port of the host is open in dev, on its loopback address', () => {
  const ports = Object.values(dev.containers).flatMap((container) => container.ports ?? []);

  expect(ports).toEqual([{ internal: 8080, external: 8080, ip: '127.0.0.1', protocol: 'tcp' }]);
});

test('the only network with a way out is the model job’s', () => {
  const open = Object.entries(dev.networks).filter(([, network]) => network.internal !== true);

  expect(open.map(([id, network]) => [id, network.options])).toEqual([
    ['llm-main-model--egress', undefined],
    ['web-bot--published', { 'com.docker.network.bridge.enable_ip_masquerade': 'false' }],
  ]);
});

test('services start after the jobs that prepare them', () => {
  const startsAfter = (id: string) =>
    (dev.container(id).depends_on as string[]).map((address) => address.replace('docker_container.', ''));

  expect(startsAfter('rag-api')).toEqual(expect.arrayContaining(['postgres-roles', 'qdrant-collections']));
  expect(startsAfter('llm-main')).toContain('llm-main-model');
  expect(startsAfter('llm-main-model')).toContain('llm-main-model-ownership');
  for (const id of ['postgres', 'qdrant', 'prometheus']) expect(startsAfter(id)).toContain(`${id}-ownership`);
});

test('without the web bot, Prometheus and the exporter, the rest stays as it is', () => {
  const bare = synthesiseEnvironment(
    devWith(({ services }) => {
      services.webBot = { enabled: false };
      services.prometheus = { enabled: false };
    }),
  );

  expect(Object.keys(members(bare))).toEqual([
    ...['llm-main-model--egress', 'postgres-logins--postgres', 'postgres-roles--postgres'],
    'qdrant-collections--qdrant',
    ...['rag-api--llm-main', 'rag-api--postgres', 'rag-api--qdrant'],
  ]);
  expect(Object.keys(bare.containers).filter((id) => /web-bot|prometheus|exporter/.test(id))).toEqual([]);
});
