import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { readModelFolder } from '../../src/operator/model-folder.js';
import { importModelFolder } from '../../src/operator/model-folder-import.js';
import { modelFolder } from '../operator/support/model-folder.js';
import { VolumeEngine } from '../operator/support/volume-engine.js';
import { python } from './qdrant/harness/venv.js';
import { StandIn } from './vllm/harness/server.js';

const REPOSITORY = 'owner/model';

// The first run makes the environment, which takes longer than a test.
beforeAll(async () => void (await python('vllm')));

/** A volume into which `ragdock model import` brought a model. */
async function imported(revision = 'main'): Promise<{ home: string; snapshot: string }> {
  const { engine, docker } = await VolumeEngine.start();
  const path = modelFolder({ 'config.json': '{"max_position_embeddings": 4096}' });
  const server = { volume: 'v', image: 'i', owner: { uid: 1, gid: 1 } };
  const destination = { kind: 'folder', repository: REPOSITORY, revision, ...server } as const;
  const files = await readModelFolder({ path, shown: path }, destination);
  const signal = new AbortController().signal;
  const commit = await importModelFolder(docker, files, destination, () => undefined, signal);
  return { home: engine.volume, snapshot: join(engine.volume, 'hub/models--owner--model/snapshots', commit) };
}

async function environment(home: string): Promise<Record<string, string>> {
  return {
    PATH: `${dirname(await python('vllm'))}:${process.env.PATH}`,
    HF_HOME: home,
    HF_HUB_OFFLINE: '1',
    VLLM_STAND_IN_READS_MODEL: '1',
  };
}

const refused = async (home: string, ...args: string[]) => {
  const server = await StandIn.start(args, await environment(home), REPOSITORY);
  onTestFinished(() => void server.stop());
  return server.ended;
};

test.each([
  ['main', []],
  ['feature/x', ['--revision', 'feature/x']],
  ['d'.repeat(40), ['--revision', 'd'.repeat(40)]],
])('what was imported under %s is found by the client of Hugging Face, without a network', async (revision, args) => {
  const { home } = await imported(revision);
  const server = await StandIn.ready(args, await environment(home), REPOSITORY);
  onTestFinished(() => void server.stop());
  const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { max_model_len: number }[] };
  expect(data[0]?.max_model_len).toBe(4096);
});

test('a model that is not there ends the start as it was recorded', async () => {
  const { home } = await imported();
  const { code, stderr } = await refused(home, '--revision', 'v2');
  expect(code).toBe(1);
  const log = readFileSync(new URL('../recordings/vllm/logs/bad-hub_model_offline.txt', import.meta.url), 'utf8');
  const [recorded = 'nothing'] = /^huggingface_hub\.errors\.LocalEntryNotFoundError: .*$/m.exec(log) ?? [];
  expect(stderr.trim()).toBe(recorded);
});

test('more context than the model has ends the start', async () => {
  const { home } = await imported();
  const { code, stderr } = await refused(home, '--max-model-len', '8192');
  expect(code).toBe(1);
  expect(stderr).toContain('User-specified max_model_len (8192) is greater than the derived max_model_len');
});

test('weights that were cut off or are gone end the start', async () => {
  const cut = await imported();
  truncateSync(join(cut.snapshot, 'model.safetensors'), 80);
  expect((await refused(cut.home)).stderr).toContain('SafetensorError');
  const gone = await imported();
  rmSync(join(gone.snapshot, 'model.safetensors'));
  expect((await refused(gone.home)).stderr).toContain('Cannot find any model weights');
});
