import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IMAGES } from '../../constructs/images.js';
import { OpenAiLlm } from '../../src/rag/llm/openai.js';
import { RunningRagApi, ragApiSettings } from '../support/rag-api.js';
import { docker } from './support/engine.js';
import { until } from './support/poll.js';
import { modelFile } from './support/project.js';

const NAME = 'ragdock-test-client-gone';
const PORT = '8080/tcp';

/** The model says the same each time: SmolLM2 goes on for as long as it may. */
const SAMPLING = { temperature: 0, topP: 1, presencePenalty: 0, frequencyPenalty: 0, maxTokens: 120 };
const QUESTION = 'List the numbers from 1 to 500, one a line.';
const SHORTEST_ANSWER = 60;

let url: string;
let llm: OpenAiLlm;
let api: RunningRagApi;

beforeAll(async () => {
  await docker
    .getContainer(NAME)
    .remove({ force: true })
    .catch(() => undefined);
  const file = modelFile();
  const container = await docker.createContainer({
    name: NAME,
    Image: IMAGES.llamaCpp,
    Entrypoint: ['/bin/sh', '-c', 'exec "$(command -v llama-server || echo /app/llama-server)" "$@"', 'llama-server'],
    Cmd: ['--model', `/model/${file.slice(dirname(file).length + 1)}`, '--alias', 'smol', '--ctx-size', '2048'].concat([
      '--parallel',
      '1',
      '--host',
      '0.0.0.0',
      '--port',
      '8080',
      '--metrics',
      '--no-webui',
    ]),
    ExposedPorts: { [PORT]: {} },
    HostConfig: {
      Binds: [`${join(dirname(file))}:/model:ro`],
      PortBindings: { [PORT]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  });
  await container.start();
  const { NetworkSettings } = await container.inspect();
  url = `http://127.0.0.1:${NetworkSettings.Ports[PORT]?.[0]?.HostPort}`;
  await until('the model is loaded', async () => (await fetch(`${url}/health`)).ok, 120);
  llm = new OpenAiLlm({ url, model: 'smol', sampling: SAMPLING, firstTokenMs: 120_000, idleMs: 60_000 });
  const { llm: usual } = ragApiSettings();
  const limits = { firstTokenSeconds: 120, idleSeconds: 60, totalSeconds: 600 };
  api = await RunningRagApi.start({ llm: { ...usual, model: 'smol', contextTokens: 2048 }, limits }, { llm });
});

afterAll(async () => {
  await api?.stop();
  await llm?.close();
  await docker.getContainer(NAME).remove({ force: true });
});

/** Steps of computing that the server has done since it started; one gives one token. */
async function decoded(): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^llamacpp:n_decode_total (\d+)/m.exec(metrics)?.[1]);
}

const isFree = async (): Promise<boolean> => {
  const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[];
  return slots.every(({ is_processing: busy }) => !busy);
};

test('a client that leaves in the middle of an answer frees the slot of llama.cpp at once', async () => {
  // GIVEN the same question, answered to its end
  const before = await decoded();
  expect(await (await api.ask({ message: QUESTION })).text()).not.toBe('');
  await until('the slot is free', isFree, 60);
  const whole = (await decoded()) - before;
  expect(whole).toBeGreaterThan(SHORTEST_ANSWER);

  // WHEN the client leaves after the first piece
  const controller = new AbortController();
  const response = await api.ask({ message: QUESTION }, { signal: controller.signal });
  await response.body?.getReader().read();
  expect(await isFree()).toBe(false);
  controller.abort();

  // THEN nobody computes the rest
  await until('the slot is free', isFree, 60);
  expect((await decoded()) - before - whole).toBeLessThan(whole / 2);
  await until('the exchange is saved', async () => [...api.history.exchanges.values()][1]?.status === 'aborted', 30);
});
