import { expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { firstDiagnosis } from '../../src/doctor/first-diagnosis.js';

const finding = (id: string, over: Partial<Finding> = {}): Finding => ({
  id,
  severity: 'broken',
  evidence: ['seen'],
  meaning: 'It means this.',
  remedy: 'do that',
  rank: 10,
  ...over,
});

test('the likeliest cause of a service is its own, whatever else is wrong', () => {
  const findings = [
    finding('disk-full', { rank: 0 }),
    finding('crash-loop', { service: 'qdrant' }),
    finding('memory-exhausted', { service: 'qdrant', rank: 0 }),
    finding('gpu-lost', { service: 'llm', rank: 0 }),
  ];
  expect(firstDiagnosis(findings, 'qdrant')?.id).toBe('memory-exhausted');
});

test('a service without a finding of its own has that of the engine under it', () => {
  const findings = [finding('drifted', { service: 'qdrant', severity: 'risk' }), finding('disk-full')];
  expect(firstDiagnosis(findings, 'qdrant')?.id).toBe('disk-full');
});

test('a risk of its own is better than nothing, one of somebody else is not', () => {
  const findings = [
    finding('drifted', { service: 'qdrant', severity: 'risk' }),
    finding('left-over', { severity: 'risk' }),
  ];
  expect(firstDiagnosis(findings, 'qdrant')?.id).toBe('drifted');
  expect(firstDiagnosis(findings, 'llm')).toBeUndefined();
  expect(firstDiagnosis([], 'llm')).toBeUndefined();
});
