import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RagdockError } from '../../src/errors/problem.js';
import { readModelFolder } from '../../src/operator/model-folder.js';
import { temporaryFolder } from '../support/folder.js';
import { modelFolder, safetensors } from './support/model-folder.js';

const read = (path: string, revision = 'main') => readModelFolder({ path, shown: 'the-model' }, { revision });
const namesOf = async (path: string) => (await read(path)).map(({ name }) => name);

async function problemsOf(path: string, revision?: string): Promise<readonly string[]> {
  const error = await read(path, revision).catch((caught: unknown) => caught);
  if (!(error instanceof RagdockError)) throw new Error('expected a refusal');
  return error.problems.map(({ code, file, message }) => `${code} ${file}: ${message}`);
}

test('the files of a model, sorted, without hidden ones and without the same weights in other formats', async () => {
  const path = modelFolder({
    '.git/config': 'x',
    '.cache/huggingface/download/x.metadata': 'x',
    'pytorch_model.bin': 'x',
    'original/consolidated.safetensors': safetensors(),
    'model.gguf': 'x',
    'code/modeling.py': 'x',
  });
  expect(await namesOf(path)).toEqual(['code/modeling.py', 'config.json', 'model.safetensors', 'tokenizer.json']);
});

test('weights that are not safetensors are taken where there are no others', async () => {
  const path = modelFolder({ 'model.safetensors': undefined, 'pytorch_model.bin': 'x' });
  expect(await namesOf(path)).toEqual(['config.json', 'pytorch_model.bin', 'tokenizer.json']);
});

test('a snapshot of a cache is links, and what they lead to counts', async () => {
  const cache = temporaryFolder();
  const snapshot = join(cache, 'snapshots', 'a'.repeat(40));
  mkdirSync(join(cache, 'blobs'));
  mkdirSync(join(cache, 'snapshots'));
  modelFolder({}, snapshot);
  renameSync(join(snapshot, 'model.safetensors'), join(cache, 'blobs', 'weights'));
  symlinkSync('../../blobs/weights', join(snapshot, 'model.safetensors'));

  const weights = (await read(snapshot)).find(({ name }) => name === 'model.safetensors');
  expect(weights?.size).toBe(safetensors().length);
  expect(await problemsOf(snapshot, 'b'.repeat(40))).toEqual([
    `MODEL_FOLDER_INCOMPLETE the-model: is a snapshot of the commit ${'a'.repeat(40)}, the environment names ${'b'.repeat(40)}`,
  ]);
});

test('everything that is missing is told at once', async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, 'README.md'), 'x');
  expect(await problemsOf(path)).toEqual([
    expect.stringContaining('the-model: has no config.json'),
    expect.stringContaining('the-model: has no tokenizer'),
    expect.stringContaining('the-model: has no weights'),
  ]);
});

test('a copy that was cut off shows', async () => {
  const index = { weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors', c: 'model-3.safetensors' } };
  const whole = safetensors(64);
  const path = modelFolder({
    'config.json': '{"model_type": ',
    'model.safetensors': undefined,
    'model-1.safetensors': whole.subarray(0, whole.length - 1),
    'model-2.safetensors': whole.subarray(0, 20),
    'model-4.safetensors': '',
    'model.safetensors.index.json': JSON.stringify(index),
  });
  expect(await problemsOf(path)).toEqual([
    'MODEL_FOLDER_INCOMPLETE the-model/config.json: is no JSON object',
    `MODEL_FOLDER_INCOMPLETE the-model/model-1.safetensors: has ${whole.length - 1} bytes, its header names ${whole.length}`,
    'MODEL_FOLDER_INCOMPLETE the-model/model-2.safetensors: is no whole safetensors file',
    'MODEL_FOLDER_INCOMPLETE the-model/model-4.safetensors: is no whole safetensors file',
    'MODEL_FOLDER_INCOMPLETE the-model/model.safetensors.index.json: names weights that are not there: model-3.safetensors',
  ]);
});

test('what is no folder is told', async () => {
  const path = modelFolder();
  expect(await problemsOf(join(path, 'config.json'))).toEqual([
    expect.stringMatching(/^FILE_UNREADABLE the-model: is not a folder/),
  ]);
  expect(await problemsOf(join(path, 'missing'))).toEqual([expect.stringMatching(/^FILE_UNREADABLE .*ENOENT/)]);
});
