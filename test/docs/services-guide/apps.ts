import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CLIENT_ADDRESS_HEADER } from '../../../src/apps/rag-api/asker.js';
import { messageSchema } from '../../../src/apps/rag-api/message.js';
import { ROOT } from '../../support/environments.js';
import { askApi, askAsBot, askWrongly, botWithoutApi, chat } from './observed.js';
import type { Check, Checks, Saiga } from './saiga.js';

/** A library that the package depends on. */
const library =
  (...names: readonly string[]): Check =>
  () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    for (const name of names) expect(dependencies).toHaveProperty([name]);
    return names;
  };

/** Files of the project. */
const files =
  (...paths: readonly string[]): Check =>
  () => {
    for (const path of paths) expect(existsSync(join(ROOT, path)), path).toBe(true);
    return paths;
  };

const apiPort = (saiga: Saiga) => saiga.published('rag-api', 8000);

/** The event comes, or is taken, in the chat. */
const sentByServer =
  (event: string): Check =>
  async () =>
    (await chat()).filter((it) => it === event);

export const API: Checks = {
  'Порт: your_port': (saiga) => [apiPort(saiga)],
  'Framework: FastAPI': library('fastify'),
  'Контейнер: project_api_service': (saiga) => [saiga.container('rag-api').name],
  'build: .': (saiga) => [saiga.image('rag-api').replace(/:.*/, '')],
  'container_name: project_api_service': (saiga) => [saiga.said('api.container')],
  'command: uvicorn api.api:app --host 0.0.0.0 --port your_port --reload': (saiga) => {
    const { command, read_only } = saiga.container('rag-api');
    return [command.join(' '), String(saiga.json('rag-api').listen.port), `read_only: ${read_only}`];
  },
  'CUDA_VISIBLE_DEVICES=0': (saiga) => {
    for (const id of ['rag-api', 'embeddings']) {
      expect(saiga.container(id)).not.toHaveProperty('runtime');
      expect(saiga.container(id)).not.toHaveProperty('gpus');
      expect(saiga.container(id).env.join()).not.toMatch(/CUDA|NVIDIA/);
    }
    return [saiga.image('embeddings'), 'embeddings.gpus'];
  },
  '"your_port:your_port"': (saiga) => [apiPort(saiga)],
  '.:/app': (saiga) => saiga.targets('rag-api'),
  '@app.post("/process_message")': async (saiga) => {
    const { response, text } = await askApi(saiga);
    expect([response.status, text]).toEqual([200, 'Да']);
    return ['POST /process_message'];
  },
  'async def process_message(message: Message, request: Request):': async () => {
    const { status, code } = await askWrongly({ course: undefined });
    return [String(status), code];
  },
  'class Message(BaseModel):': async (saiga) => {
    const { shape } = messageSchema(saiga.json('rag-api') as never);
    const fields = Object.entries(shape).flatMap(([field, schema]) =>
      schema.safeParse(undefined).success ? [] : [field],
    );
    for (const field of fields) {
      expect(await askWrongly({ [field]: undefined })).toMatchObject({ code: 'INPUT_INVALID' });
    }
    return fields;
  },
  'async def response_generator():': async (saiga) => {
    const { response } = await askApi(saiga);
    return [
      response.headers.get('content-type') ?? '',
      `transfer-encoding: ${response.headers.get('transfer-encoding')}`,
    ];
  },
  'generator = pipeline.process_message(': async (saiga) => {
    const { toModel } = await askApi(saiga);
    expect(JSON.parse(toModel.body).messages.at(-1).content).toContain('Что такое RAG?');
    return [saiga.variable('rag-api', 'LLM_URL')];
  },
  client_ip: async (saiga) => {
    const { headers } = await askAsBot();
    expect(headers[CLIENT_ADDRESS_HEADER]).toBe('192.0.2.1');
    const { history, toModel } = await askApi(saiga, { [CLIENT_ADDRESS_HEADER]: '192.0.2.1' });
    expect(JSON.stringify([history.only, toModel.body, toModel.headers])).not.toContain('192.0.2.1');
    return [CLIENT_ADDRESS_HEADER];
  },
  'response_chunks = []': async (saiga) => {
    const { history, found, text, response } = await askApi(saiga);
    expect(history.only).toMatchObject({ status: 'complete', answer: text, question: 'Что такое RAG?' });
    expect(response.headers.get('x-exchange-id')).toBe(history.only.id);
    expect(found).toBe(200);
    return ['rag.exchanges', 'GET /exchanges/:id'];
  },
};

export const WEB_BOT: Checks = {
  'Порт: your_port': (saiga) => [saiga.published('web-bot', 8080)],
  'Framework: Flask': library('fastify', 'socket.io'),
  'Контейнер: webbot2': (saiga) => [saiga.said('webBot.container')],
  '/webbot2/': files('src/apps/web-bot'),
  'app.py # Flask приложение': files('src/apps/web-bot/app.ts'),
  'Dockerfile # Docker конфигурация': files('src/apps/dockerfile.ts'),
  'docker-compose.yml # Docker Compose': files('config/environments/saiga.yaml'),
  'requirements.txt # Зависимости': files('package.json', 'package-lock.json'),
  'wait-for-api.sh # Проверка API': async () => ['GET /readyz', String(await botWithoutApi())],
  'static/ # Статические файлы': files('src/apps/web-bot/static'),
  'templates/ # HTML шаблоны': files('src/apps/web-bot/static/index.html'),
  '"from_client": {': async () => {
    await chat();
    return ['send_message'];
  },
  '"from_server": {': () => chat(),
  '"bot_typing": "Индикация набора"': sentByServer('bot_typing'),
  '"bot_chunk": "Частичный ответ"': sentByServer('bot_chunk'),
  '"bot_finished": "Завершение"': sentByServer('bot_finished'),
  '"base_url": "http://project_api_service:your_port"': (saiga) => [saiga.variable('web-bot', 'RAG_API_URL')],
  '"process_message": "/process_message"': async () => [(await askAsBot()).path],
  '"methods": ["POST"]': async () => [(await askAsBot()).method],
  '"Content-Type": "application/json"': async () => {
    const { headers, body } = await askAsBot();
    expect(Object.keys(JSON.parse(body)).sort()).toEqual(['course', 'message', 'user_name']);
    return [`content-type: ${headers['content-type']}`];
  },
};
