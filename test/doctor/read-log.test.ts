import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FINDING_KINDS, type FindingKind } from '../../src/doctor/catalogue/index.js';
import { filled } from '../../src/doctor/finding.js';
import { LOG_CAUSES } from '../../src/doctor/log-causes.js';
import { causeIn } from '../../src/doctor/read-log.js';
import { RECORDED } from './support/recorded.js';

const LOGS = new URL('../recordings/vllm/logs/', import.meta.url);
const recorded = (name: string): readonly string[] => readFileSync(new URL(name, LOGS), 'utf8').split('\n');

describe('a recorded log of vLLM 0.32.0', () => {
  test.each([
    ['bad-kv_cache_too_small_for_max_model_len.txt', 'model-too-long-for-cards', { tokens: '1408' }],
    ['bad-max_model_len_too_big.txt', 'model-context-too-long', { asked: '100000', most: '8192' }],
    ['bad-hub_model_offline.txt', 'model-files-missing', {}],
    ['bad-no_such_model.txt', 'model-files-missing', {}],
  ])('%s is %s', (name, id, groups) => {
    const found = causeIn(recorded(name), 'vllm');
    expect(found?.cause.id).toBe(id);
    expect(found?.groups).toEqual(groups);
    expect(found?.lines.length).toBeGreaterThan(0);
  });

  test.each(['start-to-stop.txt', 'preemption.txt'])('%s has no cause of a failure', (name) => {
    expect(causeIn(recorded(name), 'vllm')).toBeUndefined();
  });
});

describe.each(RECORDED)('$text', ({ writer, id, text, source, values = {} }) => {
  test(`is ${id}, as ${writer} writes it (${source})`, () => {
    const found = causeIn(['before', text, 'after'], writer);
    expect(found?.cause.id).toBe(id);
    expect(found?.lines).toEqual([text]);
    expect(found?.groups).toMatchObject(values);
  });

  test('says nothing in the words of another writer', () => {
    for (const { writer: other } of RECORDED) {
      const speaks = LOG_CAUSES.some(({ writers, line }) => writers.includes(other) && line.test(text));
      expect(causeIn([text], other) !== undefined).toBe(speaks);
    }
    expect(causeIn([text], 'dcgm')?.cause.id).toBe(id === 'gpu-lost' && writer !== 'engine' ? id : undefined);
  });
});

describe('words that are like those of a cause, and of another one', () => {
  test.each([
    ['engine', 'nvidia-container-cli: mount error: file creation failed: /libnvidia-ml.so.1: file exists: unknown'],
    ['engine', 'nvidia-container-cli: ldcache error: open failed: /sbin/ldconfig.real: no such file or directory'],
    ['engine', 'mkdir /sys/fs/cgroup/memory/docker/5a3d: no space left on device: unknown'],
    [
      'postgres',
      'ERROR:  could not resize shared memory segment "/PostgreSQL.1196320642" to 16777216 bytes: No space left on device',
    ],
    ['model-file-job', 'the download was interrupted and goes on: fetch failed (ETIMEDOUT)'],
    ['model-job', 'the list of files did not come: fetch failed (EAI_AGAIN); trying again'],
    ['postgres', 'ERROR:  permission denied for table exchanges'],
    ['postgres', 'ERROR:  permission denied to create role'],
    ['postgres', 'ERROR:  permission denied to set parameter "log_statement"'],
    ['postgres', 'ERROR:  permission denied: "pg_class" is a system catalog'],
    ['postgres', 'ERROR:  could not open file "/etc/shadow" for reading: Permission denied'],
    ['postgres', 'ERROR:  could not stat file "/root/postgres": Permission denied'],
    ['postgres', 'ERROR:  could not open directory "/root": Permission denied'],
    ['postgres', 'FATAL:  could not create semaphores: No space left on device'],
  ] as const)('%s: %s', (writer, text) => {
    expect(causeIn([text], writer)).toBeUndefined();
  });
});

test('every cause is provoked by recorded text', () => {
  const tried = new Set([
    ...RECORDED.map(({ id }) => id),
    'model-too-long-for-cards',
    'model-context-too-long',
    'model-files-missing',
  ]);
  expect(LOG_CAUSES.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([]);
});

test('the texts of a finding have places for what its words tell, and for nothing else', () => {
  const common = [
    'service',
    'env',
    'container',
    'ownership',
    'modeljob',
    'which',
    'holder',
    'stop',
    'other',
    'folder',
    'user',
    'gid',
  ];
  for (const { id, line } of LOG_CAUSES) {
    const { meaning, remedy }: FindingKind = FINDING_KINDS[id];
    const groups = [...line.source.matchAll(/\?<(\w+)>/g)].map(([, name]) => name);
    const used = [...`${meaning} ${remedy}`.matchAll(/<(\w+)>/g)].map(([, name]) => name);
    // Several words of one finding may tell different things.
    const all = LOG_CAUSES.filter((cause) => cause.id === id).flatMap((cause) =>
      [...cause.line.source.matchAll(/\?<(\w+)>/g)].map(([, name]) => name),
    );
    expect([...common, ...all], id).toEqual(expect.arrayContaining(used));
    expect(used, id).toEqual(expect.arrayContaining(groups));
  }
});

test('what is not known stays as it is', () => {
  expect(filled('<a> and <b>', { a: '1' })).toBe('1 and <b>');
});
