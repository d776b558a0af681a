import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { RagApiSettings } from '../../../src/apps/rag-api/settings.js';
import { migrate } from '../../../src/rag/history/migrate.js';
import { ROOT } from '../../support/environments.js';
import { json, ScriptedServer } from '../../support/http-server.js';
import { answering } from '../../support/openai-script.js';
import { PostgresServer } from '../../support/postgres-server.js';
import { KEY, ragApiSettings, WEB_BOT_KEY } from '../../support/rag-api.js';
import type { ApiPlan } from './api.js';

/** A RAG API in a process of its own, on a database of its own. */
export class AttackedApi {
  errors = '';

  private constructor(
    readonly url: string,
    readonly model: ScriptedServer,
    private readonly child: ChildProcessByStdio<null, Readable, Readable>,
    readonly postgres: PostgresServer,
    private readonly folder: string,
  ) {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
  }

  static async start(limits: Partial<RagApiSettings['limits']>): Promise<AttackedApi> {
    const postgres = await PostgresServer.start();
    const client = await postgres.connect();
    await migrate(client);
    await client.end();
    const answer = answering('Векторная', ' база');
    const model = await ScriptedServer.start((request, response) =>
      request.method === 'GET' ? json(response, 200, { data: [{ id: 'saiga' }] }) : answer(request, response),
    );
    const folder = mkdtempSync(join(tmpdir(), 'ragdock-attack-'));
    const plan: ApiPlan = {
      settings: ragApiSettings({ limits }),
      postgresUrl: postgres.url('postgres'),
      postgresPassword: postgres.password,
      llmUrl: model.url,
      key: KEY,
      webBotKey: WEB_BOT_KEY,
    };
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan), { mode: 0o600 });
    const program = fileURLToPath(new URL('./api.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', program, join(folder, 'plan.json')], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    return new AttackedApi(`http://127.0.0.1:${String(port).trim()}`, model, child, postgres, folder);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Whether the process that was started still runs. */
  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  ask(headers: Record<string, string> = {}, key = KEY): Promise<Response> {
    return fetch(`${this.url}/process_message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify({ message: 'Что такое RAG?', user_name: 'Иван', course: 'demo' }),
    });
  }

  /** Ends the process as the kernel does when memory is short. */
  async kill(): Promise<void> {
    if (!this.isAlive) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.model.close();
    await this.postgres.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
