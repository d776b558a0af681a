import { expect, test } from 'vitest';
import { allHealthy, docker, until } from './support/engine.js';
import { deploy, destroy, plan } from './support/project.js';
import { ask, DOCUMENT, prometheus, sql, tryToAsk } from './support/stack.js';

const DATA_VOLUMES = [
  'dev-llm-main-models',
  'dev-postgres-data',
  'dev-prometheus-data',
  'dev-qdrant-data',
  'dev-qdrant-snapshots',
];

async function volumes(): Promise<string[]> {
  const { Volumes } = await docker.listVolumes();
  return Volumes.map(({ Name }) => Name)
    .filter((name) => name.startsWith('dev-'))
    .sort();
}

test('a row, a point and a sample are still there after a destroy and a deploy', async () => {
  // GIVEN a row, a point that is found, and a sample
  const { exchangeId } = await ask();
  const at = Math.floor(Date.now() / 1000);
  const sample = `query?time=${at}&query=up%7Bjob%3D%22qdrant%22%7D`;
  const { result } = await prometheus<{ result: { value: [number, string] }[] }>(sample);
  expect(result[0]?.value[1]).toBe('1');

  // WHEN everything is destroyed
  await destroy();
  const containers = await docker.listContainers({ all: true });
  expect(containers.filter(({ Names }) => Names[0]?.startsWith('/dev-'))).toEqual([]);
  expect(await volumes()).toEqual(DATA_VOLUMES);

  // AND deployed again
  await deploy();
  await allHealthy();

  // THEN nothing is lost
  expect(await sql(`SELECT status FROM rag.exchanges WHERE id = '${exchangeId}'`)).toBe('complete');
  const answer = await until('a question is answered', () => tryToAsk(), 60);
  expect(answer.sources).toContainEqual(expect.objectContaining({ source: DOCUMENT }));
  const again = await prometheus<{ result: { value: [number, string] }[] }>(sample);
  expect(again.result[0]?.value[1]).toBe('1');
  const { code, stdout } = await plan();
  expect(code, stdout).toBe(0);
});
