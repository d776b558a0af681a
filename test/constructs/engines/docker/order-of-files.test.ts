import { expect, test } from 'vitest';
import { Job, SecretRef } from '../../../../constructs/model/index.js';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aService } from '../../../support/workloads.js';

test('a client gets its files after those of who accepts its credential, and after the job before which it opens nothing', () => {
  const key = new SecretRef('key', 'test');
  const { container } = synthesiseWorkloads((stack) => {
    const server = aService(stack, 'server');
    server.addSecret(key);
    const http = server.expose('http', { scheme: 'http', port: 1, credential: key });
    aService(stack, 'client').connectTo(http, { credential: 'KEY_FILE', rereads: true });
    const job = new Job(stack, 'job', { image: { reference: 'job:1' }, user: { uid: 5, gid: 5 }, memoryMiB: 16 });
    job.connectTo(http, { credential: 'KEY_FILE', rereads: true });
    job.opens(key);
  });
  const before = (id: string) => (container(id).depends_on ?? []).filter((it: string) => it.includes('container'));

  expect(before('client_files')).toEqual(['docker_container.server_files', 'docker_container.job']);
  expect(before('job_files')).toEqual(['docker_container.server_files']);
});
