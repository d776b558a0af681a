import { expect, test } from 'vitest';
import { type Deployment, DOCUMENT } from '../deployment.js';
import { until } from '../poll.js';

/** A destroy leaves the data, and the next deploy finds it. */
export function destroyAndAgain(deployment: Deployment): void {
  const { name, description, project, engine, ask, tryToAsk, sql, prometheus } = deployment;
  test(`a row, a point and a sample of ${name} are still there after a destroy and a deploy`, async () => {
    // GIVEN a row, a point that is found, and a sample
    const { exchangeId } = await ask();
    const at = Math.floor(Date.now() / 1000);
    const sample = `query?time=${at}&query=up%7Bjob%3D%22qdrant%22%7D`;
    const { result } = await prometheus<{ result: { value: [number, string] }[] }>(sample);
    expect(result[0]?.value[1]).toBe('1');

    // WHEN everything is destroyed
    await project.destroy();
    expect(await engine.containers()).toEqual([]);
    const kept = [...description.dataVolumes.map((volume) => `${name}-${volume}`), ...(description.namedVolumes ?? [])];
    expect(await engine.volumes()).toEqual(kept.sort());

    // AND deployed again
    await project.deploy();
    await engine.allHealthy();

    // THEN nothing is lost
    expect(await sql(`SELECT status FROM rag.exchanges WHERE id = '${exchangeId}'`)).toBe('complete');
    const answer = await until('a question is answered', () => tryToAsk(), 60);
    expect(answer.sources).toContainEqual(expect.objectContaining({ source: DOCUMENT }));
    const again = await prometheus<{ result: { value: [number, string] }[] }>(sample);
    expect(again.result[0]?.value[1]).toBe('1');
    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
  });
}
