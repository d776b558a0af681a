import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { EnvironmentSchema } from '../../config/schema.js';
import { memoryOf, planMemory } from '../../src/init/memory-plan.js';
import { MINIMAL } from '../config/project.js';

const DEFAULTS = EnvironmentSchema.parse(parse(MINIMAL));
const SUM = memoryOf(DEFAULTS);

test('the sum of all limits is what the services may take', () => {
  expect(SUM).toBe(1024 + 1024 + 2048 + 512 + 256 + 512 + 64);
  const extra = { ...parse(MINIMAL), extraServices: { tool: { image: 'tool:1', memory: '1GiB' } } };
  extra.services.prometheus = { enabled: false };
  extra.services.nodeExporter = { enabled: false };
  expect(memoryOf(EnvironmentSchema.parse(extra))).toBe(SUM + 1024 - 512 - 64);
});

test.each([8, 64])('%i GiB have room for the defaults', (gibibytes) => {
  const plan = planMemory(DEFAULTS, gibibytes * 1024, 0);
  expect(plan).toMatchObject({ limits: new Map(), monitored: true, total: SUM });
});

test('4 GiB lower as few limits as needed, the databases’ last', () => {
  const { limits, monitored } = planMemory(DEFAULTS, 4096, 0);
  expect(monitored).toBe(true);
  expect([...limits.keys()]).toEqual(['prometheus', 'api', 'webBot', 'llm', 'qdrant']);
});

test('what fits leaves an eighth, and half a GiB at least, to the system', () => {
  for (let memory = 3072; memory < 70_000; memory += 97) {
    const { total, budget, monitored } = planMemory(DEFAULTS, memory, 0);
    expect(budget).toBe(memory - Math.max(512, Math.ceil(memory / 8)));
    expect(total <= budget || !monitored).toBe(true);
  }
});

test('other environments of the host keep what they may take', () => {
  expect(planMemory(DEFAULTS, 16 * 1024, SUM).limits.size).toBe(0);
  expect(planMemory(DEFAULTS, 10 * 1024, SUM).limits.size).toBeGreaterThan(0);
});

test('less than the least does without Prometheus, and says how much is missing', () => {
  const { limits, monitored, total, budget } = planMemory(DEFAULTS, 2048, 0);
  expect([monitored, limits.has('prometheus'), total > budget]).toEqual([false, false, true]);
  const least = [...limits.values()].reduce((sum, limit) => sum + limit, 0);
  expect(total).toBe(least);
});
