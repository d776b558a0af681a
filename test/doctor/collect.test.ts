import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Environment } from '../../config/environment.js';
import { FINDING_IDS } from '../../src/doctor/catalogue/index.js';
import type { Finding, FindingId } from '../../src/doctor/finding.js';
import { changes } from '../status/support.js';
import { devWith } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { closedPort } from '../support/http-server.js';
import { type DoctorEngine, diagnosed, doctorEngine, remove } from './support/deployed-engine.js';

/** The chat's port on the host: one that no process of this machine has, whatever runs on it. */
const PORT = await closedPort();
const environment = devWith((yaml) => {
  yaml.services.webBot = { ...yaml.services.webBot, publish: { port: PORT } };
});

/** Models in folders of the host: nothing brings them, and nothing gives them to anybody. */
const onHost = devWith(
  (yaml) => {
    const acknowledge = 'read by the tests of the doctor';
    yaml.services.llm = {
      main: { engine: 'vllm', model: { name: 'o/m', onHost: { cache: '/srv/hf', acknowledge } }, maxModelLen: 4096 },
    };
    yaml.services.embeddings = { enabled: true, model: { onHost: { folder: '/srv/m', acknowledge } } };
    yaml.services.webBot = { ...yaml.services.webBot, publish: { port: PORT } };
  },
  { lock: undefined },
);

/** What a model's server of that environment wrote before it ended. */
const endsWith =
  (name: string, text: string) =>
  ({ engine, info }: DoctorEngine): void => {
    info.Runtimes = { runc: {}, nvidia: {} };
    changes(engine, name, { State: { Status: 'exited', ExitCode: 1, FinishedAt: ago(1) } });
    engine.logs.set(name, `${ago(1)} ${text}\n`);
  };

/** Minutes before the engine's own time, as its logs write it. */
const ago = (minutes: number): string => new Date(Date.parse('2026-11-22T12:00:00Z') - minutes * 60_000).toISOString();

/** One way to break a stack, as the engine tells of it, and the one finding that it is. */
interface Fault {
  readonly name: string;
  readonly id: FindingId;
  readonly service?: string;
  readonly evidence?: RegExp;
  readonly remedy?: RegExp;
  readonly provoke: (engine: DoctorEngine) => void | Promise<void>;
  /** @default dev */
  readonly environment?: Environment;
}

const state =
  (change: object, restartCount = 0) =>
  ({ engine }: DoctorEngine): void => {
    changes(engine, 'dev-qdrant', { State: change });
    engine.states.set('dev-qdrant', { ...engine.states.get('dev-qdrant'), RestartCount: restartCount });
  };

const says =
  (container: string, text: string, minutes = 1) =>
  ({ engine }: DoctorEngine): void => {
    engine.logs.set(container, `${ago(minutes)} ${text}\n`);
  };

const all =
  (...steps: readonly ((engine: DoctorEngine) => void)[]) =>
  (engine: DoctorEngine): void => {
    for (const step of steps) step(engine);
  };

const UNHEALTHY = { Health: { Status: 'unhealthy', Log: [{ Output: 'older' }, { Output: 'curl: (7) refused' }] } };

const FAULTS: readonly Fault[] = [
  {
    name: 'an old engine',
    id: 'engine-too-old',
    evidence: /19\.03/,
    provoke: (it) => {
      it.info.ServerVersion = '19.03.15';
      it.version.ApiVersion = '1.40';
    },
  },
  {
    name: 'no address left for networks of others',
    id: 'default-pools-used-up',
    evidence: /2 of the 2 subnets/,
    provoke: (it) => {
      it.info.DefaultAddressPools = [{ Base: '172.80.0.0/15', Size: 16 }];
      for (const Subnet of ['172.80.0.0/16', '172.81.7.0/24'])
        it.networks.push({ Name: Subnet, IPAM: { Config: [{ Subnet }] } });
    },
  },
  {
    name: 'a missing container',
    id: 'container-missing',
    service: 'qdrant',
    provoke: (it) => remove(it, 'dev-qdrant'),
  },
  {
    name: 'a container of somebody else under the name',
    id: 'name-taken',
    service: 'qdrant',
    provoke: ({ engine }) => changes(engine, 'dev-qdrant', { Config: { Labels: {} } }),
  },
  { name: 'a paused container', id: 'container-paused', service: 'qdrant', provoke: state({ Status: 'paused' }) },
  {
    name: 'a kill for want of memory',
    id: 'memory-exhausted',
    service: 'qdrant',
    evidence: /OOMKilled/,
    provoke: state({ Status: 'exited', ExitCode: 137, OOMKilled: true }),
  },
  {
    name: 'a crash loop with a last cause that nobody knows',
    id: 'crash-loop',
    service: 'qdrant',
    evidence: /restarts 7|thread main panicked/,
    provoke: all(
      state({ Status: 'restarting', ExitCode: 101, FinishedAt: '2026-11-22T10:00:01Z' }, 7),
      says('dev-qdrant', 'thread main panicked', 120),
    ),
  },
  {
    name: 'a crash loop, seen between two ends',
    id: 'crash-loop',
    service: 'qdrant',
    provoke: state({ StartedAt: ago(0.2), Health: { Status: 'starting', Log: [] } }, 5),
  },
  {
    name: 'an end with exit code 0',
    id: 'ended-without-error',
    service: 'qdrant',
    provoke: state({ Status: 'exited', ExitCode: 0 }),
  },
  {
    name: 'a container that ended',
    id: 'container-ended',
    service: 'qdrant',
    evidence: /exit code 137/,
    provoke: state({ Status: 'exited', ExitCode: 137 }),
  },
  {
    name: 'a failing probe, with its output',
    id: 'probe-fails',
    service: 'qdrant',
    evidence: /^curl: \(7\) refused$/,
    provoke: state(UNHEALTHY),
  },
  {
    name: 'a container that was made and never started',
    id: 'never-started',
    service: 'qdrant',
    evidence: /no such device/,
    provoke: state({ Status: 'created', Error: 'no such device' }),
  },
  {
    name: 'a job that failed',
    id: 'job-failed',
    service: 'qdrant-collections',
    evidence: /cannot read settings/,
    remedy: /docker rm dev-qdrant-collections/,
    provoke: all(
      ({ engine }) => changes(engine, 'dev-qdrant-collections', { State: { ExitCode: 1 } }),
      says('dev-qdrant-collections', 'cannot read settings', 120),
    ),
  },
  {
    name: 'a collection that was made otherwise',
    id: 'collection-mismatch',
    service: 'qdrant-collections',
    provoke: all(
      ({ engine }) => changes(engine, 'dev-qdrant-collections', { State: { ExitCode: 1 } }),
      says('dev-qdrant-collections', 'collection c was made otherwise: language german, not russian', 120),
    ),
  },
  {
    name: 'a container whose port another container has',
    id: 'port-taken',
    service: 'web-bot',
    evidence: new RegExp(`docker ps: other-web publishes ${PORT}`),
    remedy: /docker stop other-web/,
    provoke: ({ engine }) => {
      const ours = engine.others.find(({ Id }) => Id === 'dev-web-bot');
      if (ours) ours.Ports = [];
      engine.others.push({
        Id: 'other',
        Names: ['/other-web'],
        Labels: {},
        Created: 0,
        Ports: [{ PublicPort: PORT, IP: '0.0.0.0' }],
      });
    },
  },
  {
    name: 'a lost data volume',
    id: 'data-volume-missing',
    service: 'qdrant',
    provoke: (it) => {
      it.volumes = it.volumes.filter(({ Name }) => Name !== 'dev-qdrant-data');
    },
  },
  {
    name: 'a lost volume of files',
    id: 'files-volume-missing',
    service: 'qdrant',
    provoke: (it) => {
      it.volumes = it.volumes.filter(({ Name }) => Name !== 'dev-qdrant-secrets');
    },
  },
  {
    name: 'pruned files containers',
    id: 'files-pruned',
    evidence: /no dev-qdrant-files/,
    provoke: (it) => {
      remove(it, 'dev-qdrant-files');
      remove(it, 'dev-postgres-files');
    },
  },
  {
    name: 'a lost network',
    id: 'networks-missing',
    provoke: (it) => {
      it.networks = it.networks.filter(({ Name }) => Name !== 'dev-rag-api--qdrant');
    },
  },
  {
    name: 'a network whose addresses somebody else has',
    id: 'network-addresses-taken',
    evidence: /docker network inspect other_default/,
    remedy: /docker network rm other_default/,
    provoke: (it) => {
      const lost = it.networks.find(({ Name }) => Name === 'dev-rag-api--qdrant');
      if (lost) lost.Name = 'other_default';
    },
  },
  {
    name: 'a container that was given other memory',
    id: 'drifted',
    service: 'qdrant',
    evidence: /^memory: runs 64 MiB, wanted \d+ MiB$/,
    provoke: ({ engine }) => changes(engine, 'dev-qdrant', { HostConfig: { Memory: 64 * 1024 * 1024 } }),
  },
  {
    name: 'a container that is not started again any more',
    id: 'drifted',
    service: 'qdrant',
    evidence: /^restart policy: runs no, wanted unless-stopped$/,
    provoke: ({ engine }) => changes(engine, 'dev-qdrant', { HostConfig: { RestartPolicy: { Name: 'no' } } }),
  },
  {
    name: 'a container of a service that was taken out',
    id: 'left-over',
    remedy: /docker rm -f dev-grafana/,
    provoke: ({ engine }) => {
      engine.others.push({
        Id: 'g',
        Names: ['/dev-grafana'],
        State: 'running',
        Created: 0,
        Ports: [],
        Labels: { 'ragdock.environment': 'dev', 'ragdock.service': 'grafana' },
      });
    },
  },
  {
    name: 'a session of a command that is gone',
    id: 'session-left-over',
    remedy: /docker rm -f dev-operator-ask-1/,
    provoke: ({ engine }) => {
      engine.others.push({
        Id: 's',
        Names: ['/dev-operator-ask-1'],
        State: 'running',
        Created: Date.parse(ago(20)) / 1000,
        Ports: [],
        Labels: { 'ragdock.environment': 'dev', 'ragdock.session': 'ask', 'ragdock.session.deadline': '900' },
      });
    },
  },
  {
    name: 'nothing deployed',
    id: 'not-deployed',
    provoke: (it) => {
      it.engine.states.clear();
      it.engine.others.length = 0;
      it.networks = [];
      it.volumes = [];
    },
  },
  {
    name: 'recovery mode, while the probe is green',
    id: 'qdrant-recovery-mode',
    service: 'qdrant',
    provoke: says('dev-qdrant', 'WARN qdrant: Qdrant is loaded in recovery mode: killed', 119),
  },
  {
    name: 'recovery mode by a variable',
    id: 'qdrant-recovery-mode',
    service: 'qdrant',
    provoke: ({ engine }) => {
      const known = engine.states.get('dev-qdrant') as { Config: object };
      engine.states.set('dev-qdrant', {
        ...known,
        Config: { ...known.Config, Env: ['QDRANT__STORAGE__RECOVERY_MODE=by hand'] },
      });
    },
  },
  {
    name: 'a model that is not on the host',
    id: 'model-on-host-unreadable',
    service: 'embeddings',
    environment: onHost,
    remedy: /sudo chgrp -R 1000 \/srv\/m && .*`docker restart dev-embeddings`/,
    provoke: endsWith('dev-embeddings', '/model leads to no model: there is no /model/config.json'),
  },
  {
    name: 'a model of the host that the server may not read',
    id: 'model-on-host-unreadable',
    service: 'llm-main',
    environment: onHost,
    evidence: /Permission denied/,
    remedy: /sudo chgrp -R 2000 \/srv\/hf && /,
    provoke: endsWith(
      'dev-llm-main',
      "PermissionError: [Errno 13] Permission denied: '/models/hub/models--o--m/refs/main'",
    ),
  },
  {
    name: 'weights of the host that the server may not read, without their path',
    id: 'model-on-host-unreadable',
    service: 'llm-main',
    environment: onHost,
    provoke: endsWith('dev-llm-main', 'Permission denied (os error 13)'),
  },
  {
    name: 'a cache beside a model of the host that belongs to somebody else',
    id: 'volume-not-writable',
    service: 'llm-main',
    environment: onHost,
    remedy: /docker rm dev-llm-main-ownership/,
    provoke: endsWith('dev-llm-main', "PermissionError: [Errno 13] Permission denied: '/cache/vllm'"),
  },
  {
    name: 'a full disk, while the probe is green',
    id: 'disk-full',
    service: 'qdrant',
    provoke: says('dev-qdrant', 'ERROR Service internal error: No space left on device (os error 28)', 3),
  },
];

describe('one fault, one finding', () => {
  test.each(FAULTS.map((fault) => [fault.name, fault] as const))('%s', async (_, fault) => {
    const { environment: broken = environment } = fault;
    const it = await doctorEngine(broken);
    await fault.provoke(it);
    const findings = await diagnosed(it, broken);

    expect(findings.map(({ id, service }) => ({ id, service }))).toEqual([{ id: fault.id, service: fault.service }]);
    const [found] = findings as [Finding];
    expect(found.evidence.length).toBeGreaterThan(0);
    if (fault.evidence) expect(found.evidence.filter((line) => fault.evidence?.test(line)).length).toBeGreaterThan(0);
    if (fault.remedy) expect(found.remedy).toMatch(fault.remedy);
    expect(`${found.meaning} ${found.remedy}`).not.toMatch(/<\w+>/);
  });
});

describe('what is no finding', () => {
  test('a stack that is well', async () => {
    const it = await doctorEngine(environment);
    expect(await diagnosed(it, environment)).toEqual([]);
    expect(it.engine.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  test.each<[string, (engine: DoctorEngine) => void]>([
    ['a service that still starts', state({ Health: { Status: 'starting', Log: [] } })],
    ['one that was started again once, and loads', state({ Health: { Status: 'starting', Log: [] } }, 1)],
    ['a job that was removed', (it) => remove(it, 'dev-qdrant-collections')],
    ['a full disk six minutes ago', says('dev-qdrant', 'No space left on device (os error 28)', 6)],
    ['a stranger’s wrong password', says('dev-postgres', 'FATAL:  password authentication failed for user "admin"', 1)],
    [
      'a session that somebody waits for',
      ({ engine }) => {
        engine.others.push({
          Id: 's',
          Names: ['/dev-operator-ask-1'],
          State: 'running',
          Created: Date.parse(ago(5)) / 1000,
          Ports: [],
          Labels: { 'ragdock.environment': 'dev', 'ragdock.session': 'ask', 'ragdock.session.deadline': '900' },
        });
      },
    ],
    [
      'a port of somebody else at another address',
      ({ engine }) => {
        engine.others.push({
          Id: 'o',
          Names: ['/other'],
          Labels: {},
          Created: 0,
          Ports: [{ PublicPort: PORT, IP: '10.0.0.1' }],
        });
      },
    ],
  ])('%s', async (_, provoke) => {
    const it = await doctorEngine(environment);
    provoke(it);
    expect(await diagnosed(it, environment)).toEqual([]);
  });
});

test('a wrong password counts when a client of the database fails, and is told of the database', async () => {
  const it = await doctorEngine(environment);
  says('dev-postgres', 'FATAL:  password authentication failed for user "rag_api_1"', 1)(it);
  changes(it.engine, 'dev-rag-api', { State: UNHEALTHY });
  const findings = await diagnosed(it, environment);

  expect(findings.map(({ id, service }) => [id, service])).toEqual([
    ['postgres-other-password', 'postgres'],
    ['probe-fails', 'rag-api'],
  ]);
});

test('a cause that was mended is not what a service that runs fails of now', async () => {
  const it = await doctorEngine(environment);
  changes(it.engine, 'dev-rag-api', { State: UNHEALTHY });
  const failed = 'password authentication failed for user \\"rag_api_1\\"';
  says('dev-rag-api', failed, 6)(it);
  expect(await diagnosed(it, environment)).toMatchObject([{ id: 'probe-fails', service: 'rag-api' }]);
  says('dev-rag-api', failed, 4)(it);
  expect(await diagnosed(it, environment)).toMatchObject([{ id: 'postgres-other-password', service: 'rag-api' }]);
});

test('where a service fails and nothing says why, what somebody changed in it comes first', async () => {
  const it = await doctorEngine(environment);
  changes(it.engine, 'dev-rag-api', { HostConfig: { Memory: 64 * 1024 * 1024 }, State: UNHEALTHY });
  changes(it.engine, 'dev-qdrant', { HostConfig: { Memory: 64 * 1024 * 1024 } });
  const kinds = async () =>
    (await diagnosed(it, environment)).map(({ id, service, severity }) => [id, service, severity]);

  expect(await kinds()).toEqual([
    ['drifted', 'rag-api', 'broken'],
    ['probe-fails', 'rag-api', 'broken'],
    ['drifted', 'qdrant', 'risk'],
  ]);

  // A server that is not well explains more than what somebody changed, or would change.
  changes(it.engine, 'dev-postgres', { State: { Status: 'exited', ExitCode: 137 } });
  expect(await kinds()).toEqual([
    ['container-ended', 'postgres', 'broken'],
    ['probe-fails', 'rag-api', 'broken'],
    ['drifted', 'qdrant', 'risk'],
    ['drifted', 'rag-api', 'risk'],
  ]);
  changes(it.engine, 'dev-postgres', { State: { Status: 'running', ExitCode: 0 } });

  // What its log names is surer than what it may come of.
  says('dev-rag-api', 'password authentication failed for user \\"rag_api_1\\"', 1)(it);
  expect((await kinds())[0]).toEqual(['postgres-other-password', 'rag-api', 'broken']);
});

test('what the engine said of a start counts before the log', async () => {
  const it = await doctorEngine(environment);
  const said = `Bind for 127.0.0.1:${PORT} failed: port is already allocated`;
  changes(it.engine, 'dev-web-bot', { State: { Status: 'created', Error: said } });
  const findings = await diagnosed(it, environment);

  expect(findings.find(({ id }) => id === 'port-taken')).toMatchObject({
    service: 'web-bot',
    evidence: [said, expect.any(String)],
  });
});

test('a process of this machine that has a port is named', async () => {
  const holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as { port: number };
  const other = devWith((yaml) => {
    yaml.services.webBot = { ...yaml.services.webBot, publish: { port } };
  });
  const it = await doctorEngine(other);
  const ours = it.engine.others.find(({ Id }) => Id === 'dev-web-bot');
  if (ours) ours.Ports = [];
  const [found] = await diagnosed(it, other);

  expect(found).toMatchObject({
    id: 'port-taken',
    service: 'web-bot',
    remedy: expect.stringContaining(`kill ${process.pid}`),
  });
  expect(found?.evidence[0]).toContain(`:${port.toString(16).toUpperCase().padStart(4, '0')}`);
});

test('a container that is started again while it is looked at loses its port to nobody', async () => {
  const holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as { port: number };
  const other = devWith((yaml) => {
    yaml.services.webBot = { ...yaml.services.webBot, publish: { port } };
  });
  const it = await doctorEngine(other);
  const ours = it.engine.others.find(({ Id }) => Id === 'dev-web-bot');
  const Ports = ours?.Ports;
  if (ours) ours.Ports = [];
  const answer = it.engine.intercept;
  it.engine.intercept = (request, response) => {
    // Containers are listed by then, and the engine publishes the port anew.
    if (ours && request.url?.startsWith('/containers/dev-web-bot/stats')) Object.assign(ours, { Ports });
    return answer(request, response);
  };

  expect(await diagnosed(it, other)).toEqual([]);
});

describe('Terraform’s state', () => {
  const withState = (state: unknown): string => {
    const project = temporaryFolder();
    mkdirSync(join(project, 'state'));
    writeFileSync(join(project, 'state/dev.tfstate'), typeof state === 'string' ? state : JSON.stringify(state));
    return project;
  };
  const container = (name: string, id: string, status?: string) => ({
    type: 'docker_container',
    instances: [{ ...(status ? { status } : {}), attributes: { id, name } }],
  });
  const stateOf = ({ engine }: DoctorEngine, change: (name: string, id: string) => object = container) => ({
    version: 4,
    resources: engine.others.map(({ Id }) => change(String(Id), String(Id))),
  });

  test('that has what the engine has is no finding', async () => {
    const it = await doctorEngine(environment);
    expect(await diagnosed(it, environment, { project: withState(stateOf(it)) })).toEqual([]);
  });

  test('that is not there, or empty, is none', async () => {
    const it = await doctorEngine(environment);
    expect(await diagnosed(it, environment, { project: temporaryFolder() })).toEqual([]);
    expect(await diagnosed(it, environment, { project: withState('') })).toEqual([]);
  });

  test('that has other containers', async () => {
    const it = await doctorEngine(environment);
    const state = stateOf(it, (name, id) => container(name, name === 'dev-qdrant' ? 'another' : id));
    const findings = await diagnosed(it, environment, { project: withState(state) });

    expect(findings).toMatchObject([
      { id: 'state-differs', evidence: ['dev-qdrant: state/dev.tfstate has another, docker ps -a has dev-qdrant'] },
    ]);
  });

  test('with a container that a deploy was not done with', async () => {
    const it = await doctorEngine(environment);
    const state = stateOf(it, (name, id) => container(name, id, name === 'dev-qdrant' ? 'tainted' : undefined));

    expect(await diagnosed(it, environment, { project: withState(state) })).toMatchObject([
      { id: 'deploy-interrupted', severity: 'risk', evidence: ['state/dev.tfstate: dev-qdrant is tainted'] },
    ]);
  });

  test.each(['{"version": 4, "resources": [', '{"version": 3}'])('that is damaged: %s', async (text) => {
    const it = await doctorEngine(environment);
    expect(await diagnosed(it, environment, { project: withState(text) })).toMatchObject([{ id: 'state-damaged' }]);
  });
});

describe('the lock file', () => {
  test('that lacks a network is a finding, and hides nothing else', async () => {
    const it = await doctorEngine(environment);
    remove(it, 'dev-qdrant');
    const { 'rag-api--qdrant': _, ...networks } = environment.lock?.networks ?? {};
    const stale = { ...environment, lock: { ...environment.lock, networks } } as Environment;
    const findings = await diagnosed(it, environment, { describedAs: stale });

    expect(findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['lock-stale', 'container-missing']));
    expect(findings.find(({ id }) => id === 'lock-stale')?.evidence).toEqual([
      'the network rag-api--qdrant is not in the lock file',
    ]);
  });

  test('whose promise is broken has the steps of its own', async () => {
    const it = await doctorEngine(environment);
    const lock = structuredClone(environment.lock) as NonNullable<Environment['lock']>;
    (lock.volumes as Record<string, string>)['qdrant-data'] = 'elsewhere';
    const findings = await diagnosed(it, environment, { describedAs: { ...environment, lock } });

    expect(findings).toMatchObject([
      { id: 'lock-promise-broken', remedy: expect.stringContaining('ragdock lock dev --accept qdrant-data') },
    ]);
  });

  test('for which there is no room in the pool', async () => {
    const it = await doctorEngine(environment);
    const tight = {
      ...environment,
      settings: { ...environment.settings, host: { ...environment.settings.host, networkPool: '10.231.0.0/28' } },
    };
    const findings = await diagnosed(it, environment, { describedAs: tight });

    expect(findings.map(({ id }) => id)).toContain('network-pool-exhausted');
  });
});

afterAll(() => {
  expect(FAULTS.every(({ id }) => FINDING_IDS.includes(id))).toBe(true);
});
