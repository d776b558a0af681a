import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openChat } from '../chat.js';
import { type Deployment, DOCUMENT, QUESTION } from '../deployment.js';
import { markSecrets } from '../marked.js';
import { until } from '../poll.js';

/** From an empty engine to a stack that answers: secrets, model, deploy, ingest, ask. */
export function fromNothing(deployment: Deployment): void {
  const { name, description, project, engine, ask, ingest, importModels } = deployment;

  describe(`${name} from nothing`, () => {
    test('without secrets nothing is started, and the message names the command', async () => {
      // On a machine that has other work cdktf may end before it has shown the last that Terraform said.
      const said = await until(
        'the message is shown',
        async () => {
          const outcome = await project.tryDeploy();
          expect(outcome.code).not.toBe(0);
          expect(await engine.containers()).toEqual([]);
          // Terraform breaks its lines, and puts a bar in front of each.
          const text = stripVTControlCharacters(outcome.stdout + outcome.stderr).replace(/\s*\n[\s│]*/g, ' ');
          return text.includes('Error: ') && text;
        },
        240,
      );
      expect(said).toContain(`npx ragdock secrets init ${name}`);
    });

    test('secrets are made once, readable by their owner alone, and never printed', async () => {
      const lock = readFileSync(project.lockFile, 'utf8');
      const { stdout, stderr } = await project.ragdock('secrets', 'init', name);

      const files = readdirSync(project.secretsFolder).map((file) => join(project.secretsFolder, file));
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) {
        expect(statSync(file).mode & 0o777).toBe(0o600);
        expect(stdout + stderr).not.toContain(readFileSync(file, 'utf8'));
      }
      const before = files.map((file) => readFileSync(file, 'utf8'));
      await project.ragdock('secrets', 'init', name);
      expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
      const promised = readFileSync(project.lockFile, 'utf8');
      if (description.sharesSecrets) {
        expect(promised.match(/fingerprint/g)).toHaveLength(files.length);
      } else {
        // Each machine has secrets of its own, so nothing that is committed changes.
        expect(promised).toBe(lock);
        // From here on every value is one that is told by any piece of it, wherever it should not be.
        markSecrets(project);
      }
    });

    if (description.models !== undefined) {
      const inFolders = !description.models.some(({ file }) => file.endsWith('.gguf'));
      const [wrong, code] = inFolders ? ['docs', 'MODEL_FOLDER_INCOMPLETE'] : ['package.json', 'MODEL_FILE_MISMATCH'];

      test('what is not the model that was asked for is refused', async () => {
        const outcome = await project.tryRagdock('model', 'import', wrong, '--env', name);

        expect(outcome.code).toBe(2);
        expect(outcome.stderr).toContain(code);
      });

      test('the models are imported', async () => {
        await importModels();
      });
    }

    test('a deploy brings every service up, healthy', async () => {
      await project.deploy();
      await engine.allHealthy();
    });

    test('the state is readable by its owner alone', () => {
      const folder = join(project.folder, 'state');
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder, `${name}.tfstate`)).mode & 0o777).toBe(0o600);
    });

    test('a second plan is empty', async () => {
      const { code, stdout } = await project.plan();

      expect(code, stdout).toBe(0);
    });

    test('a document is ingested; a second time changes nothing', async () => {
      expect((await ingest()).stdout).toContain('coffee-machine.md');
      expect((await ingest()).stdout).toMatch(/unchanged/);
    });

    test('documents are listed, and one that is removed is gone', async () => {
      const { collection, course } = description;
      const place = ['--collection', collection, '--course', course, '--env', name];
      const passing = 'documents/passing.md';
      mkdirSync(join(project.folder, 'documents'), { recursive: true });
      writeFileSync(join(project.folder, passing), '# Объявление\n\nЗавтра занятий не будет.\n');
      await ingest(passing);

      const { stdout: before } = await project.ragdock('documents', 'list', ...place);
      expect(before).toContain(DOCUMENT);
      expect(before).toContain(`1 passages  ${passing}  Объявление`);
      const { stdout } = await project.ragdock('documents', 'remove', passing, ...place);
      expect(stdout).toContain(`1 passages  ${passing}`);
      const { stdout: after } = await project.ragdock('documents', 'list', ...place);
      expect(after).toContain(DOCUMENT);
      expect(after).not.toContain(passing);
    });

    test('a question in Russian is answered as a stream, and the answer names its source', async () => {
      const answer = await ask();

      expect(answer.chunks.length).toBeGreaterThan(1);
      expect(answer.chunks.join('').trim()).not.toBe('');
      expect(answer.sources).toContainEqual(
        expect.objectContaining({ source: DOCUMENT, collection: description.collection }),
      );
    });

    test('the chat page answers over its published port with the four events', async () => {
      const page = await fetch(description.chat);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toContain('text/html');

      const socket = openChat(description.chat);
      try {
        const seen: string[] = [];
        const chunks: string[] = [];
        socket.on('bot_typing', () => seen.push('bot_typing'));
        socket.on('bot_chunk', (chunk: { text: string }) => {
          seen.push('bot_chunk');
          chunks.push(chunk.text);
        });
        const finished = new Promise<{ ok: boolean; sources: unknown[] }>((resolve) =>
          socket.on('bot_finished', resolve),
        );
        await socket.timeout(10_000).emitWithAck('send_message', {
          message: QUESTION,
          user_name: 'deploy-suite',
          course: description.course,
          message_id: crypto.randomUUID(),
        });
        const end = await finished;

        expect(end).toMatchObject({ ok: true, sources: [expect.objectContaining({ source: DOCUMENT })] });
        expect(seen[0]).toBe('bot_typing');
        expect(chunks.length).toBeGreaterThan(1);
      } finally {
        socket.disconnect();
      }
    });
  });
}
