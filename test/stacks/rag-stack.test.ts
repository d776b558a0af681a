import { expect, test } from 'vitest';
import { lockOf } from '../../config/lock-file.js';
import { collect } from '../../src/errors/collect.js';
import { devWith, synthesiseEnvironment } from '../support/environments.js';
import { aService, failureOf } from '../support/workloads.js';

test('keeps its state outside the output, at a path that is the same on every machine', () => {
  const { json } = synthesiseEnvironment(devWith());

  expect(json.terraform.backend).toEqual({ local: { path: '../../../state/dev.tfstate' } });
});

test('is told by its settings which engine it runs on', () => {
  const environment = devWith((yaml) => Object.assign(yaml, { host: { docker: 'ssh://ops@gpu-1' } }));

  expect(synthesiseEnvironment(environment).json.provider.docker).toEqual([{ host: 'ssh://ops@gpu-1' }]);
});

test('without a lock file there is no stack', () => {
  expect(failureOf(() => synthesiseEnvironment({ ...devWith(), lock: undefined }))).toMatchObject({
    code: 'LOCK_MISSING',
    file: 'config/environments/dev.yaml',
    remedy: 'Run `ragdock lock dev` and commit the file that it writes.',
  });
});

test('a lock file that does not fit is refused with everything in which it differs', () => {
  const environment = devWith();
  const { 'web-bot--rag-api': _, ...networks } = environment.lock?.networks ?? {};
  const lock = { ...lockOf(environment), networks: { ...networks, 'web-bot--gone': '10.231.1.0/29' } };

  expect(collect(() => synthesiseEnvironment({ ...environment, lock }))).toMatchObject({
    problems: [
      { code: 'LOCK_STALE', message: 'the network web-bot--rag-api is not in the lock file' },
      { code: 'LOCK_STALE', message: 'the network web-bot--gone is not in the settings any more' },
    ],
  });
});

test('a range of its own may not overlap the one that the lock file promises from', () => {
  expect(failureOf(() => synthesiseEnvironment(devWith(), () => {}, { networkPool: '10.231.8.0/24' }))).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'dev',
    message: 'networkPool 10.231.8.0/24 overlaps host.networkPool 10.231.0.0/20',
  });
});

test('what is added to the stack before it is synthesised is part of it', () => {
  const { container } = synthesiseEnvironment(devWith(), (stack) => {
    const added = aService(stack, 'added');
    added.addDataVolume({ id: 'added-data', path: '/data', owner: { uid: 7, gid: 7 } });
  });

  expect(container('added').depends_on).toEqual(['docker_container.added-ownership']);
  expect(container('added-ownership').command).toEqual(['job-ownership', '7:7', '/data']);
});
