import { describe, expect, test } from 'vitest';
import { Board } from '../../src/apps/operator/smoke/board.js';
import { CheckFailure, type ServiceChecks } from '../../src/apps/operator/smoke/check.js';
import type { CheckResult, SmokeEvent } from '../../src/apps/operator/smoke/protocol.js';
import { type RunContext, runCheck, runService } from '../../src/apps/operator/smoke/runner.js';

const finding = (came: string) => ({ asked: 'GET /', expected: '200', came });

class Recorder {
  readonly events: SmokeEvent[] = [];
  readonly board = new Board();
  readonly context: RunContext;

  constructor(signal: AbortSignal = new AbortController().signal) {
    this.context = { board: this.board, report: (event) => void this.events.push(event), signal, begun: new Set() };
  }

  get results(): readonly CheckResult[] {
    return this.events.flatMap((event) => (event.event === 'check' ? [event.result] : []));
  }

  get outcomes(): readonly string[] {
    return this.results.map(({ check, outcome }) => `${check} ${outcome}`);
  }

  get waits(): readonly string[] {
    return this.events.flatMap((event) => (event.event === 'waiting' ? [event.for] : []));
  }
}

const service = (changes: Partial<ServiceChecks> = {}): ServiceChecks => ({
  id: 'rag-api',
  needs: ['qdrant'],
  ready: async () => undefined,
  checks: [],
  ...changes,
});
const never = () => new Promise<never>(() => undefined);

describe('a service', () => {
  test('is asked whether it is ready until it is, and says what it waits for, once', async () => {
    const recorder = new Recorder();
    let attempts = 0;
    const ready = async () => {
      attempts += 1;
      if (attempts < 4) throw new CheckFailure(finding(attempts < 3 ? '503 loading' : '503 nearly'));
    };
    await runService(service({ ready }), recorder.context);

    expect(recorder.waits).toEqual(['503 loading', '503 nearly']);
    expect(recorder.outcomes).toEqual(['ready passed']);
  });

  test('whose failure is final is not waited for', async () => {
    const recorder = new Recorder();
    const ready = async () => {
      throw new CheckFailure(finding('401'), { final: true });
    };
    const checks = [{ name: 'settings', seconds: 1, run: async () => undefined }];
    await runService(service({ ready, checks }), recorder.context);

    expect(recorder.board.lostAmong(['rag-api'])).toEqual(['rag-api']);
    expect(recorder.results).toMatchObject([
      { check: 'ready', outcome: 'failed', ...finding('401') },
      { check: 'settings', outcome: 'skipped', came: 'the service is not ready' },
    ]);
    expect(recorder.waits).toEqual([]);
  });

  test('is not waited for any longer than for what it needs', async () => {
    const recorder = new Recorder();
    const ready = async () => {
      throw new CheckFailure(finding('503'));
    };
    const running = runService(service({ ready }), recorder.context);
    recorder.board.fail('qdrant', 'exited');
    await running;

    expect(recorder.results).toMatchObject([{ check: 'ready', outcome: 'failed', because: ['qdrant'] }]);
  });

  test('that does without what has failed passes', async () => {
    const recorder = new Recorder();
    recorder.board.fail('qdrant', 'exited');
    await runService(service(), recorder.context);

    expect(recorder.outcomes).toEqual(['ready passed']);
  });

  test('whose container has failed is given up with that reason', async () => {
    const recorder = new Recorder();
    const ready = async () => {
      throw new CheckFailure(finding('refused'));
    };
    const running = runService(service({ ready }), recorder.context);
    recorder.board.lose('rag-api', 'a crash loop: started 5 times');
    await running;

    expect(recorder.results).toMatchObject([{ outcome: 'failed', came: 'a crash loop: started 5 times' }]);
  });

  test('is asked for no more than whether it is ready, where no more is wanted', async () => {
    const recorder = new Recorder();
    const checks = [{ name: 'settings', seconds: 1, run: async () => undefined }];
    await runService(service({ checks }), recorder.context, 'up');

    expect(recorder.results).toMatchObject([{ check: 'ready', level: 'up', outcome: 'passed' }]);
  });

  test('that never answers fails when the time is up, with what it said last', async () => {
    const recorder = new Recorder(AbortSignal.timeout(300));
    let attempts = 0;
    const ready = async () => {
      attempts += 1;
      if (attempts > 1) await never();
      throw new CheckFailure(finding('503 loading'));
    };
    await runService(service({ ready }), recorder.context);

    expect(recorder.results[0]?.came).toBe('503 loading; and so until the time was up');
  });

  test('that hangs hides no other', async () => {
    const recorder = new Recorder(AbortSignal.timeout(500));
    const hanging = service({ id: 'prometheus', needs: [], ready: never });
    const check = { name: 'hangs', seconds: 0.1, run: never };
    await Promise.all([
      runService(hanging, recorder.context),
      runService(
        service({ checks: [check, { ...check, name: 'next', run: async () => undefined }] }),
        recorder.context,
      ),
    ]);

    expect(recorder.outcomes).toEqual(['ready passed', 'hangs failed', 'next passed', 'ready failed']);
  });
});

describe('a check', () => {
  test('that is not begun before the time is up is no failure of its service', async () => {
    const recorder = new Recorder(AbortSignal.abort());
    let ran = false;
    const run = async () => {
      ran = true;
    };

    expect(await runCheck(service(), { name: 'settings', seconds: 1, run }, recorder.context)).toBe('skipped');
    expect(ran).toBe(false);
    expect(recorder.results).toMatchObject([{ outcome: 'skipped', came: 'the time was up' }]);
  });

  test('that fails with anything but a finding still says what was expected', async () => {
    const recorder = new Recorder();
    const run = async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    await runCheck({ id: 'qdrant', needs: [] }, { name: 'collections', seconds: 5, run }, recorder.context);

    expect(recorder.results).toMatchObject([
      {
        service: 'qdrant',
        outcome: 'failed',
        asked: 'collections',
        came: 'the connection was refused: nothing listens there (ECONNREFUSED)',
      },
    ]);
    // Something is wrong with it, and yet others may go on with what it still does.
    expect(recorder.board.failedAmong(['qdrant'])).toEqual(['qdrant']);
    expect(recorder.board.lostAmong(['qdrant'])).toEqual([]);
  });

  test('whose time is up says how far it came, where it can', async () => {
    const recorder = new Recorder();
    const run = async (signal: AbortSignal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new CheckFailure({ asked: 'a chat', expected: 'its end', came: 'after 3 tokens: nothing in time' });
    };
    await runCheck({ id: 'llm-main', needs: [] }, { name: 'streams', seconds: 0.05, run }, recorder.context);

    expect(recorder.results).toMatchObject([{ asked: 'a chat', came: 'after 3 tokens: nothing in time' }]);
  });

  test('that was given up can still be waited for', async () => {
    const recorder = new Recorder();
    let cleaned = false;
    const run = async (signal: AbortSignal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await new Promise((resolve) => setTimeout(resolve, 600));
      cleaned = true;
    };
    await runCheck({ id: 'qdrant', needs: [] }, { name: 'slow', seconds: 0.05, run }, recorder.context);
    expect(cleaned).toBe(false);

    await Promise.allSettled(recorder.context.begun);
    expect(cleaned).toBe(true);
  });
});
