import { RootConstruct } from 'constructs';
import { beforeEach, expect, test } from 'vitest';
import { type NetworkPlan, planNetworks } from '../../../constructs/model/index.js';
import { aJob, aService } from '../../support/workloads.js';

let root: RootConstruct;
const picture = (plans: readonly NetworkPlan[]) =>
  plans.map(({ id, kind, members }) => [id, kind, members.map((member) => member.node.id)]);

beforeEach(() => {
  root = new RootConstruct('test');
});

test('what is not connected has no network', () => {
  aService(root, 'service').expose('http', { scheme: 'http', port: 80 });

  expect(planNetworks(root)).toEqual([]);
});

test('two clients of one server share no network', () => {
  const http = aService(root, 'server').expose('http', { scheme: 'http', port: 80 });
  aService(root, 'left').connectTo(http);
  aService(root, 'right').connectTo(http);

  expect(picture(planNetworks(root))).toEqual([
    ['left--server', 'pair', ['left', 'server']],
    ['right--server', 'pair', ['right', 'server']],
  ]);
});

test('two endpoints of one server need one network', () => {
  const server = aService(root, 'server');
  const client = aService(root, 'client');
  client.connectTo(server.expose('http', { scheme: 'http', port: 80 }));
  client.connectTo(server.expose('metrics', { scheme: 'http', port: 9090 }));

  expect(picture(planNetworks(root))).toEqual([['client--server', 'pair', ['client', 'server']]]);
});

test('a published service has a network to be reached on, which no other workload joins', () => {
  const server = aService(root, 'server');
  const http = server.expose('http', { scheme: 'http', port: 80 });
  server.publish(http, { port: 8080, address: '127.0.0.1' });
  aService(root, 'client').connectTo(http);

  expect(picture(planNetworks(root))).toEqual([
    ['client--server', 'pair', ['client', 'server']],
    ['server--published', 'published', ['server']],
  ]);
});

test('a way out is a network of its own', () => {
  aJob(root, 'download', { egress: { reason: 'downloads a model' } });

  expect(picture(planNetworks(root))).toEqual([['download--egress', 'egress', ['download']]]);
});

test('the plan is in the order of the ids, whatever was connected first', () => {
  const http = aService(root, 'zebra').expose('http', { scheme: 'http', port: 80 });
  aService(root, 'middle').connectTo(http);
  const first = aService(root, 'ant');
  first.connectTo(http);
  first.publish(first.expose('http', { scheme: 'http', port: 80 }), { port: 8080, address: '127.0.0.1' });

  expect(planNetworks(root).map((plan) => plan.id)).toEqual(['ant--published', 'ant--zebra', 'middle--zebra']);
});
