import { describe, expect, test } from 'vitest';
import { containerFindings } from '../../src/doctor/container-rules.js';
import type { SeenStack, SeenWorkload } from '../../src/doctor/evidence.js';
import type { ContainerFacts } from '../../src/smoke/containers.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const RUNNING: ContainerFacts = {
  status: 'running',
  exitCode: 0,
  oomKilled: false,
  error: '',
  restartCount: 0,
  startedAt: ago(3600),
  finishedAt: '0001-01-01T00:00:00Z',
  health: { status: 'healthy', output: '' },
};

interface Case extends Partial<SeenWorkload> {
  readonly over?: Partial<ContainerFacts>;
  /** What it wrote, and how many seconds ago. */
  readonly wrote?: readonly (readonly [seconds: number, text: string])[];
}

function workloadOf({ over = {}, wrote = [], ...rest }: Case): SeenWorkload {
  return {
    id: 'qdrant',
    container: 'dev-qdrant',
    isJob: false,
    nameTaken: false,
    facts: { ...RUNNING, ...over },
    log: wrote.map(([seconds, text]) => ({ at: NOW - seconds * 1000, text })),
    servers: [],
    probesServers: false,
    recoveryModeSet: false,
    ...rest,
  } as unknown as SeenWorkload;
}

const findings = (...cases: readonly Case[]) =>
  containerFindings('dev', { engine: { now: NOW }, workloads: cases.map(workloadOf) } as unknown as SeenStack);

const idsOf = (...cases: readonly Case[]) => findings(...cases).map(({ id }) => id);

const vllm = { id: 'llm-main', container: 'dev-llm-main', writer: 'vllm' } as const;
const TOO_LONG = 'ValueError: … the estimated maximum model length is 12000. …';

test('a model that loads for minutes and fails, again and again, is told by what it said last', () => {
  const looping = { restartCount: 6, startedAt: ago(150), finishedAt: ago(160) };
  const starting = { ...looping, health: { status: 'starting', output: '' } };
  expect(idsOf({ ...vllm, over: starting, wrote: [[165, TOO_LONG]] })).toEqual(['model-too-long-for-cards']);
  expect(idsOf({ ...vllm, over: starting })).toEqual(['crash-loop']);
});

test('one that was started again once, and loads, is well', () => {
  const loads = {
    restartCount: 1,
    startedAt: ago(150),
    finishedAt: ago(160),
    health: { status: 'starting', output: '' },
  };
  expect(idsOf({ ...vllm, over: loads, wrote: [[165, TOO_LONG]] })).toEqual([]);
});

describe('a service whose probes fail while a model loads', () => {
  const unhealthy = { health: { status: 'unhealthy', output: 'not ready: llm' } };
  const api: Case = {
    id: 'rag-api',
    container: 'dev-rag-api',
    writer: 'rag-api',
    servers: ['llm-main'],
    probesServers: true,
    over: unhealthy,
  };
  const loads = { health: { status: 'starting', output: '' }, startedAt: ago(600) };

  test('waits for it, and so does who asks that service', () => {
    expect(idsOf(api, { ...vllm, over: loads })).toEqual([]);
    const client: Case = { ...api, id: 'client', container: 'dev-client', servers: ['rag-api'] };
    expect(idsOf(client, api, { ...vllm, over: loads })).toEqual([]);
  });

  test('is broken when its probe asks no server', () => {
    const watcher: Case = { ...api, id: 'prometheus', container: 'dev-prometheus', probesServers: false };
    expect(idsOf(watcher, { ...vllm, over: loads })).toEqual(['probe-fails']);
  });

  test('is broken when the model is there, or is not the server of it', () => {
    expect(idsOf(api, vllm)).toEqual(['probe-fails']);
    expect(idsOf({ ...api, servers: ['qdrant'] }, { ...vllm, over: loads }, {})).toEqual(['probe-fails']);
    // Servers that ask each other are looked at once.
    expect(idsOf({ ...api, servers: ['a'] }, { id: 'a', servers: ['b'] }, { id: 'b', servers: ['a'] })).toEqual([
      'probe-fails',
    ]);
  });

  test('is broken beside a model that ends after each start, and by a cause of its own', () => {
    const looping = { ...loads, restartCount: 6, startedAt: ago(100), finishedAt: ago(110) };
    expect(idsOf(api, { ...vllm, over: looping })).toEqual(['probe-fails', 'crash-loop']);
    const wrote = [[10, 'password authentication failed for user "rag_api_1"']] as const;
    expect(idsOf({ ...api, wrote }, { ...vllm, over: loads })).toEqual(['postgres-other-password']);
  });

  test('is broken when it ended itself', () => {
    const over = { status: 'exited', exitCode: 1, finishedAt: ago(60) };
    expect(idsOf({ ...api, over }, { ...vllm, over: loads })).toEqual(['container-ended']);
  });
});

test('recovery mode is that of this run, and not of one before', () => {
  const over = { restartCount: 2, startedAt: ago(600), finishedAt: ago(601) };
  const wrote = (seconds: number) => [[seconds, 'WARN qdrant: Qdrant is loaded in recovery mode: killed']] as const;
  expect(idsOf({ writer: 'qdrant', over, wrote: wrote(599) })).toEqual(['qdrant-recovery-mode']);
  expect(idsOf({ writer: 'qdrant', over, wrote: wrote(700) })).toEqual([]);
});

test('that somebody paused it is the cause, whatever it wrote', () => {
  const wrote = [[10, 'ERROR qdrant: No space left on device']] as const;
  expect(idsOf({ writer: 'qdrant', over: { status: 'paused' }, wrote })).toEqual(['container-paused']);
});

test('of what has ended the last words count, and not those of weeks ago', () => {
  const ended = { status: 'exited', exitCode: 137, finishedAt: ago(3600) };
  const wrote = (seconds: number) => [[seconds, 'ERROR qdrant: No space left on device']] as const;
  expect(idsOf({ writer: 'qdrant', over: ended, wrote: wrote(3601) })).toEqual(['disk-full']);
  expect(idsOf({ writer: 'qdrant', over: ended, wrote: wrote(1_800_000) })).toEqual(['container-ended']);
});

test.each([
  'FATAL:  password authentication failed for user "stranger"',
  'ERROR:  permission denied for table exchanges',
])('what was refused to a client ends no database: %s', (line) => {
  const over = { status: 'exited', exitCode: 143, finishedAt: ago(60) };
  expect(idsOf({ id: 'postgres', container: 'dev-postgres', writer: 'postgres', over, wrote: [[65, line]] })).toEqual([
    'container-ended',
  ]);
});

test('of what may not be shown the texts get numbers and nothing else', () => {
  const unmaskable = ['llm-main-api-key'];
  const ended = { status: 'exited', exitCode: 1, finishedAt: ago(1) };
  const [tooLong] = findings({ ...vllm, unmaskable, over: ended, wrote: [[1, TOO_LONG]] });
  expect(tooLong?.remedy).toContain('to 12000 or less');
  expect(tooLong?.evidence).toEqual([
    expect.stringContaining('this machine does not know llm-main-api-key'),
    'docker inspect dev-llm-main: exited, exit code 1',
  ]);
  const [lost] = findings({ ...vllm, unmaskable, wrote: [[1, 'Failed to initialize NVML: SECRET']] });
  expect(lost?.id).toBe('gpu-lost');
  expect(JSON.stringify(lost)).not.toContain('SECRET');
});

test('what the engine said of a start is shown: no secret is in it', () => {
  const over = { status: 'created', error: 'Unknown runtime specified nvidia' };
  const [found] = findings({ ...vllm, unmaskable: ['llm-main-api-key'], over });
  expect(found?.evidence[0]).toBe('Unknown runtime specified nvidia');
});

test('a remedy names the jobs as they are called, and the server that the files are for', () => {
  const [missing] = findings({
    id: 'embeddings',
    container: 'my-embeddings',
    writer: 'embeddings',
    modelJob: 'dev-embeddings-model',
    over: { status: 'exited', exitCode: 78, finishedAt: ago(1) },
    wrote: [[1, '/models/m leads to no model: there is no /models/snapshot/config.json']],
  });
  expect(missing).toMatchObject({ id: 'model-files-missing' });
  expect(missing?.remedy).toContain('`docker rm dev-embeddings-model`');
  expect(missing?.remedy).toContain('--env dev --embeddings`');

  const [foreign] = findings({
    writer: 'qdrant',
    ownershipJob: 'dev-qdrant-ownership',
    container: 'my-qdrant',
    over: { status: 'exited', exitCode: 1, finishedAt: ago(1) },
    wrote: [[1, 'Permission denied (os error 13)']],
  });
  expect(foreign?.remedy).toContain('`docker rm dev-qdrant-ownership`');
});

test('between two starts a container is in a loop, or ends without an error, which says more', () => {
  const between = { status: 'restarting', exitCode: 0, restartCount: 5, startedAt: ago(2), finishedAt: ago(1) };
  expect(idsOf({ over: between })).toEqual(['ended-without-error']);
  expect(idsOf({ over: { ...between, exitCode: 1 } })).toEqual(['crash-loop']);
});
