import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { provideRepository } from '../../src/apps/jobs/hugging-face.js';
import { provideModel } from '../../src/apps/jobs/model.js';
import { causeIn } from '../../src/doctor/read-log.js';
import { CollectionMismatch } from '../../src/rag/retrieval/qdrant-collection.js';
import { temporaryFolder } from '../support/folder.js';
import { closedPort } from '../support/http-server.js';

/** Whether the doctor understands what a job ends with. */
const causeOf = async (job: Promise<unknown>, writer: 'model-job' = 'model-job'): Promise<string | undefined> => {
  const failure = await job.then(
    () => undefined,
    (error: Error) => error,
  );
  return failure && causeIn(failure.message.split('\n'), writer)?.cause.id;
};

const quiet = () => undefined;

async function serverThatAnswers(status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const repository = (endpoint: string) => ({
  endpoint,
  repository: 'owner/model',
  revision: 'main',
  home: temporaryFolder(),
  deadlineSeconds: 1,
});

test.each([401, 403])('the job that a repository refuses with %i has no token', async (status) => {
  const endpoint = await serverThatAnswers(status);
  expect(await causeOf(provideRepository(repository(endpoint), undefined, quiet))).toBe('model-token-missing');
});

test('the job that finds no server has no network', async () => {
  const job = provideRepository(repository('http://no-such-machine.invalid'), undefined, quiet);
  expect(await causeOf(job)).toBe('model-download-without-network');
});

test('nor has the one that downloads a file, and one that is there no more is neither', async () => {
  const model = (url: string) => ({
    url,
    file: `${temporaryFolder()}/tiny.gguf`,
    sha256: '0'.repeat(64),
    deadlineSeconds: 1,
  });
  expect(await causeOf(provideModel(model('http://no-such-machine.invalid/tiny.gguf'), quiet))).toBe(
    'model-download-without-network',
  );
  const gone = await serverThatAnswers(404);
  expect(await causeOf(provideModel(model(`${gone}/tiny.gguf`), quiet))).toBeUndefined();
});

test('what a job tried again is not what it ended with', async () => {
  const said: string[] = [];
  const file = `${temporaryFolder()}/tiny.gguf`;
  const url = `http://127.0.0.1:${await closedPort()}/tiny.gguf`;
  const job = provideModel({ url, file, sha256: '0'.repeat(64), deadlineSeconds: 2 }, (line) => said.push(line));
  expect(await causeOf(job)).toBe('model-download-without-network');
  expect(said).toContainEqual(expect.stringContaining('ECONNREFUSED'));
  expect(causeIn([...said, `ENOSPC: no space left on device, write '${file}.part'`], 'model-file-job')?.cause.id).toBe(
    'disk-full',
  );
});

test('a collection that was made otherwise is told by the job and by the API', () => {
  const { message } = new CollectionMismatch('course', ['language german, not russian']);
  for (const writer of ['collections-job', 'rag-api'] as const) {
    expect(causeIn([message], writer)).toMatchObject({
      cause: { id: 'collection-mismatch' },
      groups: { collection: 'course' },
    });
  }
});
