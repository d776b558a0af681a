import { describe, expect, test } from 'vitest';
import { type ContainerFacts, judgeJob, judgeService } from '../../src/smoke/containers.js';

const facts = (changes: Partial<ContainerFacts> = {}): ContainerFacts => ({
  status: 'running',
  exitCode: 0,
  oomKilled: false,
  error: '',
  restartCount: 0,
  startedAt: '2026-11-22T10:00:00Z',
  finishedAt: '0001-01-01T00:00:00Z',
  health: { status: 'healthy', output: '' },
  ...changes,
});
const judge = (last: ContainerFacts | undefined, first = last) => judgeService(first, last);

describe('a service', () => {
  test.each([
    ['running and healthy', facts()],
    ['running without a health check', facts({ health: undefined })],
    ['started again before we looked', facts({ restartCount: 7 })],
  ])('%s is good', (_, last) => {
    expect(judge(last)).toEqual({ state: 'good' });
  });

  test.each([
    ['starting', facts({ health: { status: 'starting', output: '' } }), 'running, not yet healthy'],
    [
      'unhealthy, which may pass',
      facts({ health: { status: 'unhealthy', output: 'curl: (7) refused' } }),
      'unhealthy: curl: (7) refused',
    ],
    [
      'started again for the first time',
      facts({ status: 'restarting', restartCount: 1, exitCode: 137, finishedAt: '2026-11-22T10:00:01Z' }),
      'being started again, ended with 137',
    ],
    [
      'started again after hours of work',
      facts({ status: 'restarting', restartCount: 9, exitCode: 1, finishedAt: '2026-11-22T14:00:00Z' }),
      'being started again, ended with 1',
    ],
  ])('%s is waited for', (_, last, came) => {
    expect(judge(last)).toEqual({ state: 'waiting', came });
  });

  test.each([
    ['that is not there', undefined, 'there is no such container'],
    ['stopped', facts({ status: 'exited', exitCode: 143 }), 'exited, ended with 143'],
    ['killed for its memory', facts({ status: 'exited', exitCode: 137, oomKilled: true }), 'out of memory'],
    ['paused', facts({ status: 'paused' }), 'paused'],
    ['never started', facts({ status: 'created', error: 'port is already allocated' }), 'port is already allocated'],
    [
      'killed for its memory as soon as it starts',
      facts({
        status: 'restarting',
        restartCount: 3,
        exitCode: 137,
        oomKilled: true,
        finishedAt: '2026-11-22T10:00:01Z',
      }),
      'a crash loop: started 3 times, ended with 137 (killed: out of memory)',
    ],
  ])('%s has failed, whatever else has', (_, last, came) => {
    expect(judge(last)).toEqual({ state: 'failed', came: expect.stringContaining(came), own: true });
  });

  test('that ends as soon as it starts has failed, maybe for want of another', () => {
    const last = facts({ status: 'restarting', restartCount: 3, exitCode: 78, finishedAt: '2026-11-22T10:00:01Z' });
    expect(judge(last)).toEqual({ state: 'failed', came: 'a crash loop: started 3 times, ended with 78' });
  });

  test('that ends again and again while we look has failed, however long each run took', () => {
    expect(judge(facts({ restartCount: 6 }), facts({ restartCount: 5 })).state).toBe('good');
    expect(judge(facts({ restartCount: 7, exitCode: 1 }), facts({ restartCount: 5 }))).toEqual({
      state: 'failed',
      came: 'a crash loop: ended 2 times while we looked, ended with 1',
    });
  });
});

describe('a job', () => {
  test.each([
    ['that ended well is good', facts({ status: 'exited' }), { state: 'good' }],
    ['that still runs is waited for', facts(), { state: 'waiting', came: 'the job still runs' }],
    [
      'that failed has failed',
      facts({ status: 'exited', exitCode: 1 }),
      { state: 'failed', came: 'exited, ended with 1' },
    ],
    ['that somebody removed says nothing', undefined, undefined],
  ])('%s', (_, last, verdict) => {
    expect(judgeJob(last)).toEqual(verdict);
  });
});
