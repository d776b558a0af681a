import { expect, test } from 'vitest';
import { allHealthy, containerIds, type ServiceName, until } from './support/engine.js';
import { deploy, editEnvironment, plan } from './support/project.js';
import { prometheus, sql } from './support/stack.js';

/** Deploy, and name the services whose containers are other ones than before. */
async function replacedByDeploy(): Promise<ServiceName[]> {
  const before = await containerIds();
  await deploy();
  const after = await containerIds();
  await allHealthy();
  const { code, stdout } = await plan();
  expect(code, stdout).toBe(0);
  return (Object.keys(before) as ServiceName[]).filter((service) => before[service] !== after[service]);
}

test('a changed sampling value replaces the RAG API alone', async () => {
  editEnvironment('maxTokens: 128', 'maxTokens: 96');

  expect(await replacedByDeploy()).toEqual(['rag-api']);
});

test('a changed PostgreSQL setting replaces PostgreSQL alone, and is in force', async () => {
  expect(await sql('SHOW work_mem')).toBe('16MB');
  editEnvironment('\nservices:\n', '\nservices:\n  postgres:\n    settings:\n      work_mem: 8MB\n');

  expect(await replacedByDeploy()).toEqual(['postgres']);
  expect(await sql('SHOW work_mem')).toBe('8MB');
});

test('a changed scrape interval replaces nothing: Prometheus reloads it', async () => {
  editEnvironment('\nservices:\n', '\nservices:\n  prometheus:\n    scrapeInterval: 5s\n');

  expect(await replacedByDeploy()).toEqual([]);
  await until('Prometheus has reloaded', async () => {
    const { yaml } = await prometheus<{ yaml: string }>('status/config');
    return yaml.includes('scrape_interval: 5s');
  });
});
