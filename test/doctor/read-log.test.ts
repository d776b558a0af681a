import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LOG_CAUSES } from '../../src/doctor/log-causes.js';
import { causeIn, filled } from '../../src/doctor/read-log.js';

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

  test.each(['start-to-stop.log', 'preemption.log'])('%s has no cause of a failure', (name) => {
    expect(causeIn(recorded(name), 'vllm')).toBeUndefined();
  });
});

test('a cause belongs to who writes its words', () => {
  const lines = ['FATAL:  password authentication failed for user "rag_api_1"'];
  expect(causeIn(lines, 'postgres')?.groups).toEqual({ role: 'rag_api_1' });
  expect(causeIn(lines, 'qdrant')).toBeUndefined();
});

test('every cause has a name of its own, and texts whose places can be filled', () => {
  expect(new Set(LOG_CAUSES.map(({ id }) => id)).size).toBe(LOG_CAUSES.length);
  for (const { line, meaning, remedy } of LOG_CAUSES) {
    const known = [
      'id',
      'env',
      'container',
      'name',
      ...[...line.source.matchAll(/\?<(\w+)>/g)].map(([, name]) => name),
    ];
    const used = [...`${meaning} ${remedy}`.matchAll(/<(\w+)>/g)].map(([, name]) => name);
    expect(known).toEqual(expect.arrayContaining(used));
  }
});

test('what is not known stays as it is', () => {
  expect(filled('<a> and <b>', { a: '1' })).toBe('1 and <b>');
});
