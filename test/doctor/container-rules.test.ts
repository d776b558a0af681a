import { expect, test } from 'vitest';
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

function findings({ over = {}, wrote = [], ...rest }: Case) {
  const workload = {
    id: 'qdrant',
    container: 'dev-qdrant',
    isJob: false,
    nameTaken: false,
    facts: { ...RUNNING, ...over },
    log: wrote.map(([seconds, text]) => ({ at: NOW - seconds * 1000, text })),
    servers: [],
    recoveryModeSet: false,
    ...rest,
  } as unknown as SeenWorkload;
  return containerFindings('dev', { engine: { now: NOW }, workloads: [workload] } as unknown as SeenStack);
}

const idsOf = (it: Case) => findings(it).map(({ id }) => id);

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
