import { expect, test } from 'vitest';
import { SecretRef, secretPath } from '../../constructs/model/index.js';
import { App, Testing } from '../../constructs/tf.js';
import { DockerStack, type DockerStackProps } from '../../stacks/docker-stack.js';
import { temporaryFolder } from '../support/folder.js';
import { type Synthesised, view } from '../support/synth.js';
import { aService, failureOf } from '../support/workloads.js';

const BUNDLE = { context: '../../../dist/apps', hash: '000000000000' };

/** A stack of two services, one of which asks the other with a secret. */
function synthesised(props: DockerStackProps = {}): Synthesised {
  const outdir = temporaryFolder();
  const stack = new DockerStack(new App({ outdir }), 'pair', { bundle: BUNDLE, ...props });
  const server = aService(stack, 'server');
  const key = new SecretRef('server-key', 'asks the server');
  const client = aService(stack, 'client');
  client.connectTo(server.expose('http', { scheme: 'http', port: 80, credential: key }), { credential: 'KEY_FILE' });
  server.setEnvironment('OWN_KEY_FILE', secretPath(key, 'current'));
  stack.prepareStack();
  return view(JSON.parse(Testing.synth(stack, true)));
}

const POOL = { networkPool: '10.240.0.0/20' };

test('holds what a stack needs on a Docker host', () => {
  const { json, container, networks } = synthesised(POOL);

  expect(json.terraform.backend).toEqual({ local: { path: '../../../state/pair.tfstate' } });
  expect(json.provider.docker).toEqual([{ host: 'unix:///var/run/docker.sock' }]);
  expect(container('client').name).toBe('pair-client');
  expect(networks['client--server']?.ipam_config[0].subnet).toMatch(/^10\.240\.\d+\.\d+\/29$/);
});

test('secrets have version 1, or the one that is given', () => {
  expect(synthesised(POOL).container('client').env).toEqual(['KEY_FILE=/run/secrets/server-key.v1']);
  expect(synthesised({ ...POOL, secretVersions: { 'server-key': 3 } }).container('client').env).toEqual([
    'KEY_FILE=/run/secrets/server-key.v3',
  ]);
});

test('takes subnets, digests and the address of the engine as they are given', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const { json, networks, images } = synthesised({
    host: 'ssh://ops@gpu-1',
    networks: { 'client--server': '10.9.0.0/29' },
    images: { 'any:1': digest },
  });

  expect(json.provider.docker).toEqual([{ host: 'ssh://ops@gpu-1' }]);
  expect(networks['client--server']?.ipam_config[0].subnet).toBe('10.9.0.0/29');
  expect(Object.values(images).map(({ name }) => name)).toContain(`any:1@${digest}`);
});

test('finds state and secrets in the project that is given', () => {
  const { json, files } = synthesised({ ...POOL, project: '../../../..' });

  expect(json.terraform.backend.local.path).toBe('../../../../state/pair.tfstate');
  expect(Object.values(files('client_files'))).toContain(
    '${path.module}/../../../../.ragdock/secrets/pair/server-key.v1',
  );
});

test('without a range there is no network', () => {
  expect(failureOf(() => synthesised())).toMatchObject({ code: 'MODEL_INVALID', path: 'pair' });
});

test('is lowered once, however often the app is synthesised', () => {
  const app = new App({ outdir: temporaryFolder() });
  aService(new DockerStack(app, 'twice', { bundle: BUNDLE }), 'alone');

  app.synth();
  expect(() => app.synth()).not.toThrow();
});
