import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type Deployment, QUESTION } from '../deployment.js';
import { until } from '../poll.js';

/** The sampling of the services guide; vLLM ignores `max_model_len`, as it does every field that it does not know. */
const GUIDE_PARAMETERS = {
  max_model_len: 20000,
  temperature: 0.7,
  top_p: 0.9,
  presence_penalty: 0,
  frequency_penalty: 0,
  max_tokens: 1024,
};

/** The guide's data model of a message, and a client that sends one and prints pieces as they come. */
const CLIENT = `
import json, os, urllib.request
from dataclasses import asdict, dataclass

@dataclass
class Message:
    message: str
    user_name: str
    course: str

request = urllib.request.Request(
    os.environ["API"] + "/process_message",
    data=json.dumps(asdict(Message(os.environ["QUESTION"], "guide", "demo"))).encode(),
    headers={"Content-Type": "application/json", "Authorization": "Bearer " + open(os.environ["KEY_FILE"]).read().strip()},
)
with urllib.request.urlopen(request) as answer:
    print(answer.headers["Content-Type"])
    print(answer.read().decode())
`;

const ML_DB = { host: '127.0.0.1', port: 5432, database: 'ml_db' };

/** What the services guide shows, asked of the ports that saiga publishes for its host. */
export function guideExamples({ name, project }: Deployment): void {
  const secretFile = (secret: string): string => join(project.secretsFolder, `${secret}.v1`);
  const secret = (of: string): string => readFileSync(secretFile(of), 'utf8').trim();
  const bearer = (of: string): Record<string, string> => ({ authorization: `Bearer ${secret(of)}` });

  describe(`the guide’s examples, on ${name}`, () => {
    test('GET /v1/models names the model', async () => {
      const models = 'http://127.0.0.1:8010/v1/models';
      expect((await fetch(models)).status).toBe(401);

      const answer = await (await fetch(models, { headers: bearer('llm-saiga-api-key') })).json();
      expect(answer).toMatchObject({
        object: 'list',
        data: [{ id: 'NightForger/saiga_nemo_12b-GPTQ', object: 'model', owned_by: 'vllm' }],
      });
    });

    test('POST /v1/completions takes the parameters', async () => {
      const answer = await fetch('http://127.0.0.1:8010/v1/completions', {
        method: 'POST',
        headers: { ...bearer('llm-saiga-api-key'), 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'NightForger/saiga_nemo_12b-GPTQ', prompt: 'Привет', ...GUIDE_PARAMETERS }),
      });

      expect(answer.status).toBe(200);
      const { choices } = (await answer.json()) as { choices: { text: string; finish_reason: string }[] };
      expect(choices[0]?.text).not.toBe('');
      expect(choices[0]?.finish_reason).toMatch(/stop|length/);
    });

    test('curl -N on /process_message streams an answer', async () => {
      const { stdout } = await project.succeed('curl', [
        ...['--silent', '--show-error', '--no-buffer', '--include', '--request', 'POST'],
        ...['--header', 'content-type: application/json', '--header', `authorization: Bearer ${secret('rag-api-key')}`],
        ...['--data', JSON.stringify({ message: QUESTION, user_name: 'guide', course: 'demo' })],
        'http://127.0.0.1:8000/process_message',
      ]);
      const [head = '', body = ''] = stdout.split('\r\n\r\n');

      expect(head).toMatch(/^HTTP\/1\.1 200 /);
      expect(head.toLowerCase()).toContain('content-type: text/plain; charset=utf-8');
      expect(head.toLowerCase()).toContain('transfer-encoding: chunked');
      expect(body.trim()).not.toBe('');
    });

    test('the Python data model of a message is understood', async () => {
      const { stdout } = await project.succeed('python3', ['-c', CLIENT], {
        env: { API: 'http://127.0.0.1:8000', KEY_FILE: secretFile('rag-api-key'), QUESTION },
      });
      const [type, ...answer] = stdout.split('\n');

      expect(type).toBe('text/plain; charset=utf-8');
      expect(answer.join('\n').trim()).not.toBe('');
    });

    test('a role of its own reads the history over the published port, and writes nothing', async () => {
      const client = new pg.Client({ ...ML_DB, user: 'analyst', password: secret('postgres-analyst-password') });
      await client.connect();
      try {
        const { rows } = await client.query('SELECT count(*)::int AS count FROM rag.exchanges');
        expect(rows[0].count).toBeGreaterThan(0);
        await expect(client.query('DELETE FROM rag.exchanges')).rejects.toThrow(/permission denied/);
      } finally {
        await client.end();
      }
    });

    test('nobody comes through that port as the superuser', async () => {
      const client = new pg.Client({ ...ML_DB, user: 'postgres', password: secret('postgres-superuser-password') });
      await expect(client.connect()).rejects.toThrow(/no pg_hba\.conf entry/);
    });

    test('Prometheus has the four jobs, and all of them are up', async () => {
      const up = await until('every job of the guide is up', async () => {
        const answer = await fetch('http://127.0.0.1:9090/api/v1/query?query=up');
        const { data } = (await answer.json()) as {
          data: { result: { metric: { job: string }; value: [number, string] }[] };
        };
        const jobs = new Map(data.result.map(({ metric, value }) => [metric.job, value[1]]));
        const guide = ['agent_metrics', 'qdrant', 'saiga', 'node'];
        return guide.every((job) => jobs.get(job) === '1') && jobs;
      });
      expect([...up.keys()]).toContain('rag-api');
    });

    test.each([
      [9101, 'node_load1'],
      [9401, 'DCGM_FI_DEV_GPU_UTIL'],
      [9402, 'rag_exporter_up'],
    ])('port %i of the host gives %s', async (port, metric) => {
      expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain(`\n${metric}`);
    });

    test('Grafana takes its own password, and not admin/admin', async () => {
      const login = (password: string) => ({
        headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` },
      });
      const boards = 'http://127.0.0.1:3000/api/search?type=dash-db';

      expect((await fetch(boards, login('admin'))).status).toBe(401);
      const found = (await (await fetch(boards, login(secret('grafana-admin-password')))).json()) as unknown[];
      expect(found.length).toBeGreaterThanOrEqual(3);
    });
  });
}
