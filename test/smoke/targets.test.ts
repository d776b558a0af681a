import { describe, expect, test } from 'vitest';
import { stackOf } from '../../src/operator/stack.js';
import { timeoutOf } from '../../src/smoke/targets.js';
import { devWith, type Yaml } from '../support/environments.js';

const stackWith = (change: (yaml: Yaml) => void = () => {}) => stackOf(devWith(change, { lock: undefined }));

describe('the time for all checks', () => {
  const vllm = (startSeconds?: number) =>
    stackWith((yaml) => {
      const model = { name: 'owner/model', revision: 'a'.repeat(40) };
      const gpus = { devices: ['0'] };
      yaml.services.llm = { main: { engine: 'vllm', model, gpus, maxModelLen: 4096, startSeconds } };
    });

  test('has room for the service that may take longest to start', () => {
    expect(timeoutOf(stackWith())).toBe(600 + 300);
    expect(timeoutOf(vllm())).toBe(1800 + 300);
    expect(timeoutOf(vllm(3000))).toBe(3000 + 300);
  });

  test('has room for the target that is scraped most seldom', () => {
    const scrapedEvery = (scrapeInterval: string) =>
      stackWith((yaml) => {
        yaml.services.agentExporter = { enabled: true, scrapeInterval };
      });
    expect(timeoutOf(scrapedEvery('1m'))).toBe(600 + 300);
    expect(timeoutOf(scrapedEvery('15m'))).toBe(600 + 900 + 120);
  });
});
