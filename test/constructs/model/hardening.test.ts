import { RootConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { HARDENED } from '../../../constructs/model/index.js';
import { aService, failureOf } from '../../support/workloads.js';

const ROOT = { uid: 0, gid: 0 };
const REASON = 'changes the owner of files that belong to root';

test('everything is closed unless something is asked for', () => {
  expect(HARDENED).toEqual({
    readOnlyRoot: true,
    capabilities: [],
    noNewPrivileges: true,
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    root: false,
  });
  const service = aService(new RootConstruct(), 'service');
  expect(service.hardening).toEqual(HARDENED);
  expect(service.relaxReason).toBeUndefined();
});

test('an exception changes what it names, keeps its reason, and leaves the rest closed', () => {
  const relax = { readOnlyRoot: false, reason: REASON };
  const service = aService(new RootConstruct(), 'service', { relax });

  expect(service.hardening).toEqual({ ...HARDENED, readOnlyRoot: false });
  expect(service.relaxReason).toBe(REASON);
});

test.each(['', '       ', 'because'])('the reason %j is none', (reason) => {
  const relax = { readOnlyRoot: false, reason };
  expect(failureOf(() => aService(new RootConstruct('test'), 'service', { relax }))).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'test.service',
    message: 'an exception from hardening has no reason',
  });
});

test('nothing runs as root in silence', () => {
  expect(failureOf(() => aService(new RootConstruct('test'), 'service', { user: ROOT }))).toEqual({
    code: 'MODEL_INVALID',
    path: 'test.service',
    message: 'the process would run as root',
    remedy: 'give another user, or relax { root: true, reason }',
  });
  const relax = { readOnlyRoot: false, reason: REASON };
  expect(failureOf(() => aService(new RootConstruct(), 'service', { user: ROOT, relax })).message).toContain('as root');
});

test('root is given to whoever says why', () => {
  const relax = { root: true, reason: REASON };
  expect(aService(new RootConstruct(), 'service', { user: ROOT, relax }).user).toEqual(ROOT);
});
