import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { provideRepository } from '../../src/apps/jobs/hugging-face.js';
import { readModelFolder } from '../../src/operator/model-folder.js';
import { importModelFolder } from '../../src/operator/model-folder-import.js';
import type { ModelFolderDestination } from '../../src/operator/model-import.js';
import { modelFolder, safetensors } from './support/model-folder.js';
import { VolumeEngine } from './support/volume-engine.js';

const DESTINATION: ModelFolderDestination = {
  kind: 'folder',
  volume: 'dev-llm-main-models',
  image: 'vllm/vllm-openai:v0.32.0',
  repository: 'owner/model',
  revision: 'main',
  owner: { uid: 2000, gid: 2000 },
};
const MODEL = 'hub/models--owner--model';
const MARKER = '.ragdock/owner--model@main';

const started = () => VolumeEngine.start();

async function importing(
  docker: Awaited<ReturnType<typeof started>>['docker'],
  path = modelFolder(),
  change: Partial<ModelFolderDestination> = {},
) {
  const destination = { ...DESTINATION, ...change };
  const files = await readModelFolder({ path, shown: path }, destination);
  const progress: number[] = [];
  const commit = await importModelFolder(
    docker,
    files,
    destination,
    ({ step, done, of }) => void (step === 'sending' && progress.push(done / of)),
    new AbortController().signal,
  );
  return { commit, progress };
}

const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('expected a failure');
    },
    (error: Error) => error,
  );

test('the files are where the server looks, for its user, and the job finds them whole', async () => {
  const { engine, docker } = await started();
  const { commit, progress } = await importing(docker, modelFolder({ 'code/deep/modeling.py': 'pass' }));

  const snapshot = `${MODEL}/snapshots/${commit}`;
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect(readFileSync(join(engine.volume, MODEL, 'refs/main'), 'utf8')).toBe(commit);
  expect(readFileSync(join(engine.volume, MARKER), 'utf8')).toBe(snapshot);
  expect(readFileSync(join(engine.volume, snapshot, 'model.safetensors'))).toEqual(safetensors());
  expect(readFileSync(join(engine.volume, snapshot, 'code/deep/modeling.py'), 'utf8')).toBe('pass');
  expect(readdirSync(engine.volume).sort()).toEqual(['.ragdock', 'hub']);
  expect(new Set(engine.entries.map(({ owner }) => owner))).toEqual(new Set(['2000:2000']));
  expect(new Set(engine.entries.map(({ mode }) => mode.toString(8)))).toEqual(new Set(['755', '644']));
  expect(progress.at(-1)).toBe(1);
  expect(engine.containers).toEqual([]);

  const said: string[] = [];
  // An address where nobody answers: the job must not ask.
  const settings = { endpoint: 'http://127.0.0.1:9', repository: 'owner/model', revision: 'main', deadlineSeconds: 5 };
  await provideRepository({ ...settings, home: engine.volume }, undefined, (line) => void said.push(line));
  expect(said).toEqual(['owner/model at main is there']);
});

test('a commit has no ref, and is its own place', async () => {
  const { engine, docker } = await started();
  const revision = 'c'.repeat(40);
  expect((await importing(docker, modelFolder(), { revision })).commit).toBe(revision);
  expect(readdirSync(join(engine.volume, MODEL))).toEqual(['snapshots']);
  expect(readFileSync(join(engine.volume, `.ragdock/owner--model@${revision}`), 'utf8')).toBe(
    `${MODEL}/snapshots/${revision}`,
  );
});

test('a branch with a slash has its folders', async () => {
  const { engine, docker } = await started();
  const { commit } = await importing(docker, modelFolder(), { revision: 'refs/pr/7' });
  expect(readFileSync(join(engine.volume, MODEL, 'refs/refs/pr/7'), 'utf8')).toBe(commit);
  expect(existsSync(join(engine.volume, '.ragdock/owner--model@refs--pr--7'))).toBe(true);
});

test('the same files have the same place, other ones another', async () => {
  const { docker, engine } = await started();
  const one = await importing(docker);
  const again = await importing(docker);
  const other = await importing(docker, modelFolder({ 'model.safetensors': safetensors(32) }));
  expect(again.commit).toBe(one.commit);
  expect(other.commit).not.toBe(one.commit);
  expect(readFileSync(join(engine.volume, MODEL, 'refs/main'), 'utf8')).toBe(other.commit);
});

test.each([
  ['the engine goes away', { breaksAfter: 3 }],
  ['the last step is refused', { refusesPrograms: true }],
])('when %s, nothing counts as complete, and the next import mends it', async (_, broken) => {
  const { engine, docker } = await started();
  Object.assign(engine, broken);
  await rejection(importing(docker));
  expect(existsSync(join(engine.volume, MARKER))).toBe(false);
  expect(
    existsSync(join(engine.volume, MODEL, 'snapshots')) ? readdirSync(join(engine.volume, MODEL, 'snapshots')) : [],
  ).toEqual([]);
  expect(engine.containers).toEqual([]);

  Object.assign(engine, { breaksAfter: Number.POSITIVE_INFINITY, refusesPrograms: false });
  const { commit } = await importing(docker);
  expect(readFileSync(join(engine.volume, MARKER), 'utf8')).toBe(`${MODEL}/snapshots/${commit}`);
});

test('a file that grows or shrinks on its way is no part of a model', async () => {
  for (const content of ['{}      ', '']) {
    const { engine, docker } = await started();
    const path = modelFolder();
    const files = await readModelFolder({ path, shown: path }, DESTINATION);
    writeFileSync(join(path, 'tokenizer.json'), content);
    const signal = new AbortController().signal;
    const error = await rejection(importModelFolder(docker, files, DESTINATION, () => undefined, signal));
    expect(error).toMatchObject({ code: 'MODEL_FOLDER_INCOMPLETE', message: expect.stringContaining('was changed') });
    expect(existsSync(join(engine.volume, MARKER))).toBe(false);
  }
});

test('an interrupt ends it, and leaves nothing that counts', async () => {
  const { engine, docker } = await started();
  const path = modelFolder();
  const files = await readModelFolder({ path, shown: path }, DESTINATION);
  const interrupt = new AbortController();
  const error = await rejection(
    importModelFolder(docker, files, DESTINATION, () => interrupt.abort(), interrupt.signal),
  );
  expect(error.name).toBe('AbortError');
  expect(readdirSync(engine.volume).filter((name) => name.endsWith('.part'))).toEqual([]);
  expect(existsSync(join(engine.volume, MARKER))).toBe(false);
});
