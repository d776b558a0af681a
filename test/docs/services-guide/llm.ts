import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from '../../support/environments.js';
import type { Resource } from '../../support/synth.js';
import { askApi, probeModel } from './observed.js';
import type { Check, Checks, Saiga } from './saiga.js';

const ID = 'llm-saiga';
const MODEL = 'NightForger/saiga_nemo_12b-GPTQ';

/** An exchange with vLLM that was recorded under this name. */
function recorded(name: string): Resource {
  const lines = readFileSync(join(ROOT, 'test/recordings/vllm/all-exchanges.jsonl'), 'utf8').trimEnd().split('\n');
  const found = lines.map((line) => JSON.parse(line) as Resource).find((it) => it.name === name);
  if (!found) throw new Error(`there is no recording '${name}'`);
  return found;
}

/** A number of a request to the model: the setting, and what the API really sends. */
const sent =
  (setting: string, field: string, value: number): Check =>
  async (saiga) => {
    const { toModel } = await askApi(saiga);
    expect(JSON.parse(toModel.body)[field]).toBe(value);
    return [saiga.said(`llm.saiga.sampling.${setting}`)];
  };

const flag =
  (setting: string, name: string): Check =>
  (saiga) => [saiga.said(`llm.saiga.${setting}`), saiga.flag(ID, name)];

const hostPort = (saiga: Saiga) => saiga.published(ID, 8010);

export const LLM: Checks = {
  'Порт: your_port (API), your_port (метрики)': (saiga) => {
    expect(saiga.flag(ID, '--port')).toBe('--port=8010');
    return [hostPort(saiga), '8010'];
  },
  'Модель: NightForger/saiga_nemo_12b-GPTQ': (saiga) => [saiga.said('llm.saiga.model.name')],
  'Контейнер: saiga_saiga_1': (saiga) => [saiga.container(ID).name],
  'image: vllm/vllm-openai:latest': (saiga) => [saiga.image(ID)],
  'runtime: nvidia': (saiga) => [
    `runtime: ${saiga.container(ID).runtime}`,
    saiga.variable(ID, 'NVIDIA_VISIBLE_DEVICES'),
  ],
  'restart: always': (saiga) => [`restart: ${saiga.container(ID).restart}`],
  'HUGGING_FACE_HUB_TOKEN=<token>': (saiga) => {
    const secret = 'llm-saiga-model-token';
    expect(saiga.environment.settings.services.llm.saiga).toMatchObject({ model: { token: false } });
    const other = saiga.with((yaml) => {
      (yaml.services.llm as Resource).saiga.model.token = true;
    });
    for (const it of [saiga, other]) {
      for (const { env } of it.containers) expect(String(env)).not.toMatch(/TOKEN=/);
    }
    expect(saiga.files(`${ID}-model`).join()).not.toContain(secret);
    expect(other.files(`${ID}-model`).join()).toContain(secret);
    expect(other.files(ID).join()).not.toContain(secret);
    return ['llm.saiga.model.token', secret];
  },
  '~/.cache/huggingface:/root/.cache/huggingface': (saiga) => {
    expect(saiga.container(`${ID}-model`).mounts).toContainEqual(
      expect.objectContaining({ source: 'saiga-llm-saiga-models', read_only: false }),
    );
    return [saiga.mount(ID, '/models'), saiga.variable(ID, 'HF_HOME'), saiga.container(`${ID}-model`).name];
  },
  './config.py:/app/config.py': (saiga) => {
    expect(Object.keys(saiga.json('rag-api').llm)).toEqual(expect.arrayContaining(['systemPrompt', 'sampling']));
    expect(saiga.targets(ID).filter((target) => target.startsWith('/app'))).toEqual([]);
    return ['project_api_service', '/etc/ragdock/settings.json'].filter(
      (it) => saiga.container('rag-api').name === it || saiga.targets('rag-api').includes(it.replace(/\/[^/]+$/, '')),
    );
  },
  'entrypoint: []': (saiga) => {
    const { entrypoint } = saiga.container(ID);
    expect(entrypoint[2]).toContain('exit 78');
    return [entrypoint[3], entrypoint[4]];
  },
  'python3 -m vllm.entrypoints.openai.api_server': (saiga) => {
    const start: string = saiga.container(ID).entrypoint[2].split('\n').at(-1);
    return [/^exec (vllm serve) "\$@"$/.exec(start)?.[1] ?? start];
  },
  '--host 0.0.0.0': (saiga) => [saiga.flag(ID, '--host')],
  '--model NightForger/saiga_nemo_12b-GPTQ': (saiga) => [
    saiga.container(ID).command[0],
    saiga.flag(ID, '--served-model-name'),
  ],
  '--max-model-len 20000': flag('maxModelLen', '--max-model-len'),
  '--port 8010': flag('port', '--port'),
  '--trust-remote-code': flag('trustRemoteCode', '--trust-remote-code'),
  '--gpu-memory-utilization 0.95': flag('gpuMemoryUtilization', '--gpu-memory-utilization'),
  '"your_port:8010"': (saiga) => [hostPort(saiga)],
  'GET /v1/models': async () => {
    const probe = await probeModel();
    expect(recorded('auth_no_key_v1_models').status).toBe(401);
    expect(recorded('auth_right_key_v1_models').status).toBe(200);
    return [`${probe?.method} ${probe?.path}`];
  },
  '"object": "list"': (saiga) => {
    const { object, data } = recorded('models').response;
    expect(object).toBe('list');
    expect(data[0]).toMatchObject({ id: MODEL, object: 'model', created: expect.any(Number), owned_by: 'vllm' });
    expect(saiga.flag(ID, '--served-model-name')).toBe(`--served-model-name=${MODEL}`);
    return [data[0].id, data[0].owned_by];
  },
  'POST /v1/completions': async (saiga) => {
    const { toModel } = await askApi(saiga);
    expect(JSON.parse(toModel.body)).toMatchObject({ model: MODEL, stream: true });
    return [`${toModel.method} ${toModel.path}`];
  },
  '"max_model_len": 20000': async (saiga) => {
    const { toModel } = await askApi(saiga);
    expect(JSON.parse(toModel.body)).not.toHaveProperty('max_model_len');
    expect(saiga.json('rag-api').llm.contextTokens).toBe(20000);
    expect(recorded('completion_max_model_len_extra')).toMatchObject({ path: '/v1/completions', status: 200 });
    return [saiga.flag(ID, '--max-model-len')];
  },
  '"temperature": 0.7': sent('temperature', 'temperature', 0.7),
  '"top_p": 0.9': sent('topP', 'top_p', 0.9),
  '"presence_penalty": 0.0': sent('presencePenalty', 'presence_penalty', 0),
  '"frequency_penalty": 0.0': sent('frequencyPenalty', 'frequency_penalty', 0),
  '"max_tokens": 1024': sent('maxTokens', 'max_tokens', 1024),
  'SYSTEM_PROMPT = """Ты - русскоязычный автоматический ассистент.': async (saiga, quoted) => {
    const prompt = quoted.join('\n').replace('SYSTEM_PROMPT = """', '').replace('"""', '');
    const [system] = JSON.parse((await askApi(saiga)).toModel.body).messages;
    expect(system).toMatchObject({ role: 'system', content: expect.stringMatching(/^Ты - русскоязычный/) });
    expect(system.content.startsWith(`${prompt}\n\n`)).toBe(true);
    expect(saiga.json('rag-api').llm.systemPrompt).toBe(prompt);
    return ['llm.saiga.systemPrompt'];
  },
};
