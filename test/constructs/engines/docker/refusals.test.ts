import { expect, test } from 'vitest';
import { type Endpoint, SecretRef, type Service } from '../../../../constructs/model/index.js';
import type { TerraformStack } from '../../../../constructs/tf.js';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aJob, aService, failureOf } from '../../../support/workloads.js';

const hostNetwork = { hostNetwork: true, reason: 'measures the interfaces of the host' };
const LOCAL = '127.0.0.1';

const http = (service: Service, name = 'http', port = 80): Endpoint => service.expose(name, { scheme: 'http', port });

/** Each thing that Docker or its provider cannot express, with the words in which it is refused. */
const REFUSED: Readonly<Record<string, readonly [(stack: TerraformStack) => void, message: string]>> = {
  'an image without a tag': [
    (stack) => aService(stack, 'subject', { image: { reference: 'registry.example:5000/app' } }),
    'the image registry.example:5000/app has no tag',
  ],
  'an image with a digest and no tag': [
    (stack) => aService(stack, 'subject', { image: { reference: `app@sha256:${'0'.repeat(64)}` } }),
    'has no tag',
  ],
  'the tag latest': [
    (stack) => aService(stack, 'subject', { image: { reference: 'app:latest' } }),
    'the image app:latest names another image every week',
  ],
  'the tag latest, with a digest': [
    (stack) => aService(stack, 'subject', { image: { reference: `app:latest@sha256:${'0'.repeat(64)}` } }),
    'names another image every week',
  ],
  'a folder of the host without a place': [
    (stack) => aService(stack, 'subject').addHostMount({ hostPath: './data', path: '/data', reason: 'a test' }),
    'the host folder ./data is relative',
  ],
  'two things mounted at one path': [
    (stack) =>
      aService(stack, 'subject', { tmpfs: [{ path: '/data', sizeMiB: 1 }] }).addDataVolume({ id: 'd', path: '/data' }),
    'two things are mounted at /data',
  ],
  'a file in a folder that something else is mounted at': [
    (stack) =>
      aService(stack, 'subject', { tmpfs: [{ path: '/etc/app', sizeMiB: 1 }] }).addConfigFile({
        path: '/etc/app/app.conf',
        content: '',
        onChange: 'replace',
      }),
    'two things are mounted at /etc/app',
  ],
  'something mounted where the secrets are': [
    (stack) =>
      aService(stack, 'subject', { tmpfs: [{ path: '/run/secrets', sizeMiB: 1 }] }).addSecret(
        new SecretRef('a-key', 'a test'),
      ),
    'two things are mounted at /run/secrets',
  ],
  'a mount point inside read-only files': [
    (stack) => {
      const subject = aService(stack, 'subject');
      for (const path of ['/etc/app/app.conf', '/etc/app/rules/a.yml']) {
        subject.addConfigFile({ path, content: '', onChange: 'replace' });
      }
    },
    '/etc/app/rules would be mounted inside the read-only files of /etc/app',
  ],
  'two folders whose names differ in punctuation alone': [
    (stack) => {
      const subject = aService(stack, 'subject');
      for (const path of ['/etc/conf.d/a', '/etc/conf-d/a']) {
        subject.addConfigFile({ path, content: '', onChange: 'replace' });
      }
    },
    'the files of /etc/conf.d and of /etc/conf-d would share a volume',
  ],
  'a published port of a service on the network of the host': [
    (stack) => {
      const subject = aService(stack, 'subject', { relax: hostNetwork });
      subject.publish(http(subject), { port: 8080, address: LOCAL });
    },
    'a service on the host’s network cannot publish ports',
  ],
  'a client on the network of the host': [
    (stack) => aService(stack, 'subject', { relax: hostNetwork }).connectTo(http(aService(stack, 'server'))),
    'a workload on the host’s network is not on the networks of its servers',
  ],
  'a job that is a client on the network of the host': [
    (stack) => aJob(stack, 'subject', { relax: hostNetwork }).connectTo(http(aService(stack, 'server'))),
    'a workload on the host’s network is not on the networks of its servers',
  ],
  'two endpoints on one port of the host': [
    (stack) => {
      const subject = aService(stack, 'subject');
      subject.publish(http(subject), { port: 8080, address: LOCAL });
      subject.publish(http(subject, 'metrics', 90), { port: 8080, address: LOCAL });
    },
    'two endpoints are published on one port',
  ],
  'waiting without a health check': [
    (stack) => aService(stack, 'subject', { healthCheck: { command: [] }, deployWaitSeconds: 60 }),
    'a deploy cannot wait for a service without a health check',
  ],
  'waiting for a service that keeps data': [
    (stack) => aService(stack, 'subject', { deployWaitSeconds: 60 }).addDataVolume({ id: 'data', path: '/data' }),
    'test-subject keeps data: a deploy that gives up waiting for it would kill it at the next one',
  ],
  'two services that wait for each other': [
    (stack) => {
      const [subject, other] = [aService(stack, 'subject'), aService(stack, 'zebra')];
      subject.connectTo(http(aService(stack, 'uninvolved')));
      subject.connectTo(http(other));
      other.runAfter(subject);
    },
    'it would have to start before itself: subject → zebra → subject',
  ],
};

test.each(Object.entries(REFUSED))('%s is refused', (_what, [build, message]) => {
  const failure = failureOf(() => synthesiseWorkloads(build));

  expect(failure).toMatchObject({ code: 'ENGINE_UNSUPPORTED', path: 'test.subject' });
  expect(failure.message).toContain(message);
  expect(failure.remedy?.length).toBeGreaterThan(0);
});

/** What comes near to a refusal, and is fine. */
const ALLOWED: Readonly<Record<string, (stack: TerraformStack) => void>> = {
  'a registry with a port': (stack) =>
    aService(stack, 'subject', { image: { reference: 'registry.example:5000/team/app:1.2' } }),
  'a tag with a digest': (stack) =>
    aService(stack, 'subject', { image: { reference: `app:1@sha256:${'0'.repeat(64)}` } }),
  'waiting for a service that only reads data': (stack) =>
    aService(stack, 'subject', { deployWaitSeconds: 60 }).addDataVolume({ id: 'data', path: '/data', readOnly: true }),
  'two folders with a common beginning of their names': (stack) => {
    const subject = aService(stack, 'subject');
    for (const path of ['/etc/app/a', '/etc/app2/a']) subject.addConfigFile({ path, content: '', onChange: 'replace' });
  },
  'files inside writable memory': (stack) =>
    aService(stack, 'subject', { tmpfs: [{ path: '/tmp', sizeMiB: 1 }] }).addConfigFile({
      path: '/tmp/app/a',
      content: '',
      onChange: 'replace',
    }),
  'one port on two addresses': (stack) => {
    const subject = aService(stack, 'subject');
    subject.publish(http(subject), { port: 8080, address: '127.0.0.1' });
    subject.publish(http(subject, 'metrics', 90), { port: 8080, address: '127.0.0.2' });
  },
  'three services in a row': (stack) => {
    const [a, b, c] = ['subject', 'b', 'c'].map((id) => aService(stack, id));
    if (!a || !b || !c) throw new Error('three services');
    a.connectTo(http(b));
    b.connectTo(http(c));
    a.connectTo(http(c, 'metrics', 90));
  },
};

test.each(Object.entries(ALLOWED))('%s is fine', (_what, build) => {
  expect(synthesiseWorkloads(build).container('subject').name).toBe('test-subject');
});
