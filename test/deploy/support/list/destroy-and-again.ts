import { expect, test } from 'vitest';
import { type Deployment, DOCUMENT } from '../deployment.js';
import { topologyOf } from '../described.js';
import type { EngineView } from '../engine.js';
import { until } from '../poll.js';
import { succeed } from '../project.js';

/** Volumes that have to be among them. */
const OWNED = [/postgres.*data/, /qdrant_storage|qdrant-data/, /prometheus.*data/];

/** Volumes with an owner, and its uid. */
function ownedVolumes(deployment: Deployment): ReadonlyMap<string, number> {
  const topology = topologyOf(deployment);
  const volumes = topology.workloads.flatMap(({ dataVolumes }) => dataVolumes);
  return new Map(volumes.flatMap((it) => (it.owner ? [[topology.volumeName(it), it.owner.uid]] : [])));
}

const folderOf = async ({ docker }: EngineView, volume: string): Promise<string> =>
  (await docker.getVolume(volume).inspect()).Mountpoint;

/** A destroy leaves the data, and the next deploy finds it, although all of it belongs to root. The engine has to be of this machine. */
export function destroyAndAgain(deployment: Deployment): void {
  const { name, description, project, engine, ask, tryToAsk, sql, prometheus } = deployment;
  test(`a row, a point and a sample of ${name} are still there after a destroy, in root’s hands, and a deploy`, async () => {
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

    // AND all that is in the volumes belongs to root, as images that run as root leave it
    const owned = ownedVolumes(deployment);
    expect([...owned.keys()]).toEqual(expect.arrayContaining(OWNED.map((id) => expect.stringMatching(id))));
    for (const volume of owned.keys()) await succeed('chown', ['-R', '0:0', await folderOf(engine, volume)]);

    // AND it is deployed again
    await project.deploy();
    await engine.allHealthy();

    // THEN everything belongs to whoever works with it
    for (const [volume, uid] of owned) {
      const others = await succeed('find', [await folderOf(engine, volume), '!', '-uid', String(uid)]);
      expect([volume, others.stdout]).toEqual([volume, '']);
    }

    // AND nothing is lost
    expect(await sql(`SELECT status FROM rag.exchanges WHERE id = '${exchangeId}'`)).toBe('complete');
    const answer = await until('a question is answered', () => tryToAsk(), 60);
    expect(answer.sources).toContainEqual(expect.objectContaining({ source: DOCUMENT }));
    const again = await prometheus<{ result: { value: [number, string] }[] }>(sample);
    expect(again.result[0]?.value[1]).toBe('1');
    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
  });
}
