import { RootConstruct } from 'constructs';
import { beforeEach, expect, test } from 'vitest';
import { Job, Service, Workload, workloadsOf } from '../../../constructs/model/index.js';
import { aJob, aService, failureOf } from '../../support/workloads.js';

let service: Service;
let root: RootConstruct;

beforeEach(() => {
  root = new RootConstruct('test');
  service = aService(root, 'service');
});

test('publishes an endpoint of its own', () => {
  const http = service.expose('http', { scheme: 'http', port: 80 });

  service.publish(http, { port: 8080, address: '127.0.0.1' });

  expect(service.published).toEqual([{ endpoint: http, port: 8080, address: '127.0.0.1' }]);
});

test('publishes no endpoint of another service', () => {
  const http = aService(root, 'other').expose('http', { scheme: 'http', port: 80 });

  expect(failureOf(() => service.publish(http, { port: 8080, address: '127.0.0.1' }))).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'test.service',
    message: 'other.http is not an endpoint of this service',
  });
});

test('publishes an endpoint once', () => {
  const http = service.expose('http', { scheme: 'http', port: 80 });
  service.publish(http, { port: 8080, address: '127.0.0.1' });

  expect(failureOf(() => service.publish(http, { port: 8081, address: '127.0.0.1' })).message).toBe(
    'the endpoint http is published twice',
  );
});

test('a job is told from a service', () => {
  const job = aJob(root, 'job');

  expect([Workload.isWorkload(service), Service.isService(service), Job.isJob(service)]).toEqual([true, true, false]);
  expect([Workload.isWorkload(job), Service.isService(job), Job.isJob(job)]).toEqual([true, false, true]);
  expect(Workload.isWorkload(root)).toBe(false);
});

test('the workloads of a tree are found at every depth, in the order of their ids', () => {
  aService(aService(root, 'b'), 'c');
  aJob(root, 'a');

  expect(workloadsOf(root).map((workload) => workload.node.id)).toEqual(['a', 'b', 'c', 'service']);
});
