import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RootConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { loadEnvironments } from '../../config/load.js';
import { ExternalServer, exceptionsOf, Service } from '../../constructs/model/index.js';
import { CIS_SECTION_5 } from '../../src/hardening/cis.js';
import { wholeTopology } from '../../src/operator/stack.js';
import { ROOT, synthesiseEnvironment } from '../support/environments.js';
import { aService } from '../support/workloads.js';

const environments = loadEnvironments({ cwd: ROOT }).map((environment) => [environment.name, environment] as const);

test('a workload that is closed has no exception', () => {
  expect(exceptionsOf([aService(new RootConstruct(), 'service')])).toEqual([]);
});

test('each kind of exception is listed with its reason', () => {
  const reason = 'a test of every exception';
  const scope = new RootConstruct();
  const service = aService(scope, 'service', {
    user: { uid: 0, gid: 0 },
    relax: {
      root: true,
      readOnlyRoot: false,
      noNewPrivileges: false,
      capabilities: ['CHOWN'],
      hostNetwork: true,
      hostPid: true,
      hostIpc: true,
      reason,
    },
    gpus: { devices: 'all' },
    egress: { reason: 'downloads the model' },
  });
  service.addHostMount({ hostPath: '/srv', path: '/srv', reason: 'reads what is there' });
  const http = service.expose('http', { scheme: 'http', port: 80 });
  service.publish(http, { port: 80, address: '0.0.0.0', acknowledge: 'behind a firewall' });
  service.connectTo(new ExternalServer(scope, 'model').expose('http', { url: 'http://model.example' }));

  expect(exceptionsOf([service]).map(({ what, reason }) => [what, reason])).toEqual([
    ['uid 0', reason],
    ['writable root', reason],
    ['new privileges', reason],
    ['capability CHOWN', reason],
    ['host network', reason],
    ['host processes', reason],
    ['host shared memory', reason],
    ['host folder /srv', 'reads what is there'],
    ['graphics cards', 'computes on them, or measures them'],
    ['way out', 'downloads the model'],
    ['way out', 'asks model, which is outside of the stack'],
    ['port 0.0.0.0:80', 'behind a firewall'],
  ]);
});

describe.each(environments)('of %s', (_name, environment) => {
  const { workloads } = wholeTopology(environment);

  test('every exception has a reason', () => {
    for (const { workload, what, reason } of exceptionsOf(workloads)) {
      expect(reason.trim().length, `${workload}: ${what}`).toBeGreaterThanOrEqual(8);
    }
  });

  test('no container listens on a privileged port', () => {
    const ports = workloads.flatMap(({ endpoints }) => endpoints.map(({ port }) => port));
    expect(ports.length).toBeGreaterThan(3);
    expect(ports.filter((port) => port < 1024)).toEqual([]);
  });

  test('every published port of the environments is on loopback', () => {
    const published = workloads.filter(Service.isService).flatMap((service) => service.published);
    expect(published.length).toBeGreaterThan(0);
    expect(published.filter(({ address }) => address !== '127.0.0.1')).toEqual([]);
  });

  test('what synth makes of it is as closed as the model says', () => {
    const { containers } = synthesiseEnvironment(environment);
    const given = (id: string) => exceptionsOf(workloads.filter(({ node }) => node.id === id)).map(({ what }) => what);
    for (const [id, container] of Object.entries(containers)) {
      if (id.endsWith('_files')) continue;
      const what = given(id);
      expect([id, container.read_only]).toEqual([id, !what.includes('writable root')]);
      expect([id, container.user === '0:0']).toEqual([id, what.includes('uid 0')]);
      expect([id, container.network_mode === 'host']).toEqual([id, what.includes('host network')]);
      expect(container.capabilities.drop).toEqual(['ALL']);
      expect(container.security_opts).toContain('no-new-privileges:true');
      expect(container.memory_swap).toBe(container.memory);
      expect(container.ulimit).toContainEqual({ name: 'core', soft: 0, hard: 0 });
      expect(container.init).toBe(true);
      expect(container.log_opts).toEqual({ 'max-size': '10m', 'max-file': '3' });
      expect([id, container.dns]).toEqual([
        id,
        what.includes('way out') || container.networks_advanced === undefined ? undefined : ['127.0.0.1'],
      ]);
    }
  });

  test('no container names a control group', () => {
    for (const container of Object.values(synthesiseEnvironment(environment).containers)) {
      expect(container).not.toHaveProperty('cgroup_parent');
      expect(container).not.toHaveProperty('cgroupns_mode');
    }
  });

  test('every image has a tag that is a version', () => {
    const names = workloads.flatMap(({ image }) => (image === 'bundled-apps' ? [] : [image.reference]));
    for (const name of names) expect(name).toMatch(/:[^:@/]*\d[^:@/]*(@sha256:[0-9a-f]{64})?$/);
  });
});

describe('the benchmark', () => {
  test('every recommendation of the section stands once, in order', () => {
    expect(CIS_SECTION_5.map(({ id }) => id)).toEqual(Array.from({ length: 32 }, (_, index) => `5.${index + 1}`));
  });

  test('what is met is met by a test that exists, and what is not has its reason', () => {
    for (const { id, standing } of CIS_SECTION_5) {
      if ('met' in standing) {
        expect(standing.met.length, id).toBeGreaterThan(0);
        for (const { file, test } of standing.met) {
          expect(readFileSync(join(ROOT, file), 'utf8'), `${id}: ${file} has no '${test}'`).toContain(`'${test}'`);
        }
      } else {
        expect(Object.values(standing).join('').length, id).toBeGreaterThan(20);
      }
    }
  });
});
