import { describe, expect, test } from 'vitest';
import { checkLock, type Locked, planLock } from '../../config/lock.js';
import { lockChanges } from '../../config/lock-changes.js';
import { parseLock, serialiseLock } from '../../config/lock-file.js';
import type { Lock, Promises } from '../../config/lock-schema.js';
import { contains, isSubnet, overlaps, parseRange } from '../../config/subnets.js';
import { RagdockError } from '../../src/errors/problem.js';
import { brief } from './problems.js';

const PROMISES: Promises = {
  networks: ['api--postgres', 'api--qdrant'],
  volumes: { 'postgres-data': 'dev-postgres-data', 'qdrant-data': 'dev-qdrant-data' },
  secrets: ['api-key', 'qdrant-key'],
  postgresMajor: 15,
  collections: { courses: { language: 'russian', embedding: 'none', dimension: 0 } },
};

const promises = (changes: Partial<Promises>): Promises => ({ ...PROMISES, ...changes });

/** An environment whose lock file holds `lock`, with the places of what it holds. */
function locked(lock: Lock | undefined, networkPool = '10.0.0.0/24'): Locked {
  const parsed = lock && parseLock(serialiseLock(lock, 'dev'), 'dev.lock.yaml');
  return {
    name: 'dev',
    file: 'dev.yaml',
    settings: { host: { networkPool } },
    lock: parsed?.lock,
    lockPlaceOf: parsed?.placeOf,
  };
}

const plan = (lock: Lock | undefined, wanted: Promises, accepted: readonly string[] = [], pool?: string): Lock =>
  planLock(locked(lock, pool), wanted, accepted);

function failure(work: () => unknown): RagdockError {
  try {
    work();
  } catch (error) {
    if (error instanceof RagdockError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('planLock', () => {
  test('promises everything that is wanted', () => {
    expect(plan(undefined, PROMISES)).toEqual({
      lock: 1,
      networks: { 'api--postgres': '10.0.0.0/29', 'api--qdrant': '10.0.0.8/29' },
      volumes: PROMISES.volumes,
      secrets: { 'api-key': { version: 1 }, 'qdrant-key': { version: 1 } },
      postgres: { major: 15 },
      collections: PROMISES.collections,
      images: {},
    });
  });

  test('keeps what was promised: subnets, versions, fingerprints, digests', () => {
    const lock: Lock = {
      ...plan(undefined, PROMISES),
      networks: { 'api--postgres': '10.0.0.80/29', 'api--qdrant': '10.0.0.8/29' },
      secrets: {
        'api-key': { version: 3, fingerprint: `sha256:${'0'.repeat(16)}:${'1'.repeat(64)}` },
        'qdrant-key': { version: 1 },
      },
      images: { 'postgres:15': `sha256:${'a'.repeat(64)}` },
    };
    expect(plan(lock, PROMISES)).toEqual(lock);
  });

  test('gives a freed subnet to the next network, and forgets what is wanted no more', () => {
    const first = plan(undefined, promises({ networks: ['a', 'b', 'c'] }));
    const second = plan(first, promises({ networks: ['a', 'c'], secrets: ['api-key'], volumes: {}, collections: {} }));
    expect(second).toMatchObject({
      networks: { a: '10.0.0.0/29', c: '10.0.0.16/29' },
      secrets: { 'api-key': { version: 1 } },
    });
    expect([second.volumes, second.collections, Object.keys(second.secrets)]).toEqual([{}, {}, ['api-key']]);
    expect(plan(second, promises({ networks: ['a', 'c', 'd'] })).networks.d).toBe('10.0.0.8/29');
  });

  test('moves networks whose subnet cannot stay: outside the pool, of another size, or of two networks', () => {
    const lock = {
      ...plan(undefined, PROMISES),
      networks: {
        a: '10.0.0.0/29',
        b: '10.0.0.0/29',
        c: '10.9.0.0/29',
        d: '10.0.0.16/28',
        e: '10.0.0.24/29',
        gone: '10.0.0.8/29',
      },
    };
    expect(plan(lock, promises({ networks: ['a', 'b', 'c', 'd', 'e'] })).networks).toEqual({
      a: '10.0.0.0/29',
      e: '10.0.0.24/29',
      b: '10.0.0.8/29',
      c: '10.0.0.16/29',
      d: '10.0.0.32/29',
    });
  });

  test('a pool that is too small is told with both numbers', () => {
    const networks = Array.from({ length: 33 }, (_, index) => `n${index}`);
    const error = failure(() => plan(undefined, promises({ networks })));
    expect(error.problems).toMatchObject([
      {
        code: 'NETWORK_POOL_EXHAUSTED',
        file: 'dev.yaml',
        path: 'host.networkPool',
        message: '33 networks are needed, and 10.0.0.0/24 has room for 32',
      },
    ]);
    expect(Object.keys(plan(undefined, promises({ networks: networks.slice(1) })).networks)).toHaveLength(32);
  });

  test('whatever is added and removed, networks never overlap, stay in the pool, and none is renumbered', () => {
    const random = generator(20_261_123);
    let networks: string[] = [];
    let lock: Lock | undefined;
    for (let round = 0; round < 300; round++) {
      networks = networks.filter(() => random() > 0.2);
      const room = 32 - networks.length;
      const added = Array.from({ length: Math.floor(random() * Math.min(room + 1, 8)) }, (_, i) => `n${round}-${i}`);
      networks = [...networks, ...added].sort(() => random() - 0.5);
      const next = plan(lock, promises({ networks }));
      expect(Object.keys(next.networks).sort()).toEqual([...networks].sort());
      const ranges = Object.values(next.networks).map(parseRange);
      expect(Object.values(next.networks).every(isSubnet)).toBe(true);
      expect(ranges.every((range) => contains(parseRange('10.0.0.0/24'), range))).toBe(true);
      expect(ranges.some((range, i) => ranges.slice(0, i).some((other) => overlaps(range, other)))).toBe(false);
      for (const [id, subnet] of Object.entries(lock?.networks ?? {})) {
        if (networks.includes(id)) expect(next.networks[id]).toBe(subnet);
      }
      expect(checkLock(locked(next), promises({ networks }))).toEqual([]);
      lock = next;
    }
  });

  test('the order in which networks are asked for does not matter', () => {
    const networks = ['b', 'a', 'c'];
    const sorted = plan(undefined, promises({ networks: ['a', 'b', 'c'] }));
    expect(serialiseLock(plan(undefined, promises({ networks })), 'dev')).toBe(serialiseLock(sorted, 'dev'));
  });
});

describe('a promise that would be broken', () => {
  const lock = plan(undefined, PROMISES);
  const broken: [string, string, Partial<Promises>, RegExp, RegExp][] = [
    [
      'a renamed volume',
      'postgres-data',
      { volumes: { ...PROMISES.volumes, 'postgres-data': 'other' } },
      /promised to lie in the volume dev-postgres-data, and the settings say other/,
      /-v dev-postgres-data:\/from:ro -v other:\/to/,
    ],
    [
      'another major version',
      'postgres-major',
      { postgresMajor: 16 },
      /PostgreSQL 15's, which PostgreSQL 16/,
      /pg_dumpall of 15/,
    ],
    [
      'another language',
      'courses',
      { collections: { courses: { language: 'english', embedding: 'none', dimension: 0 } } },
      /made with language russian, and the settings say english/,
      /ingest its documents again/,
    ],
    [
      'another embedding',
      'courses',
      { collections: { courses: { language: 'russian', embedding: 'bge-m3', dimension: 1024 } } },
      /embedding none, and the settings say bge-m3; dimension 0, and the settings say 1024/,
      /ingest/,
    ],
  ];

  test.each(broken)('%s is refused with the steps that keep the data', (_name, name, change, message, steps) => {
    for (const problem of [
      failure(() => plan(lock, promises(change))).problems[0],
      checkLock(locked(lock), promises(change))[0],
    ]) {
      expect(problem).toMatchObject({ code: 'LOCK_PROMISE_BROKEN', file: 'dev.lock.yaml', line: expect.any(Number) });
      expect(problem?.message).toMatch(message);
      expect(problem?.remedy).toMatch(steps);
      expect(problem?.remedy).toContain(`then run \`ragdock lock dev --accept ${name}\``);
    }
  });

  test.each(broken)('%s is accepted by name', (_name, name, change) => {
    const next = plan(lock, promises(change), [name]);
    expect(checkLock(locked(next), promises(change))).toEqual([]);
    expect(next.networks).toEqual(lock.networks);
  });

  test('all of them are told at once, and each has to be accepted', () => {
    const change = promises({ postgresMajor: 16, volumes: { 'postgres-data': 'x', 'qdrant-data': 'y' } });
    const messages = failure(() => plan(lock, change, ['qdrant-data'])).problems.map(({ path }) => path);
    expect(messages).toEqual(['volumes.postgres-data', 'postgres.major']);
  });

  test('nothing can be accepted that is not broken', () => {
    expect(failure(() => plan(lock, PROMISES, ['postgres-data'])).problems).toMatchObject([
      { code: 'USAGE', message: '--accept postgres-data: no promise of this name is broken' },
    ]);
    const error = failure(() => plan(lock, promises({ postgresMajor: 16 }), ['postgres-mayor']));
    expect(error.problems).toMatchObject([
      { code: 'USAGE', remedy: 'Did you mean `postgres-major`?' },
      { code: 'LOCK_PROMISE_BROKEN' },
    ]);
  });

  test('what is new, or wanted no more, breaks none', () => {
    const added = promises({ volumes: { ...PROMISES.volumes, 'extra-data': 'x' } });
    expect(plan(lock, added).volumes['extra-data']).toBe('x');
    expect(plan(lock, promises({ volumes: {} })).volumes).toEqual({});
  });
});

describe('checkLock', () => {
  const lock = plan(undefined, PROMISES);

  test('is content with what planLock made', () => {
    expect(checkLock(locked(lock), PROMISES)).toEqual([]);
  });

  test('asks for a lock where there is none', () => {
    expect(checkLock(locked(undefined), PROMISES)).toEqual([
      {
        code: 'LOCK_MISSING',
        file: 'dev.yaml',
        message: 'dev.lock.yaml does not exist',
        remedy: 'Run `ragdock lock dev` and commit the file that it writes.',
      },
    ]);
  });

  test('tells everything that it lacks and has too much, with its place in the lock file', () => {
    const wanted: Promises = {
      networks: ['api--qdrant', 'web--api'],
      volumes: { 'qdrant-data': 'dev-qdrant-data', 'more-data': 'x' },
      secrets: ['qdrant-key', 'web-key'],
      postgresMajor: 15,
      collections: { more: { language: 'russian', embedding: 'none', dimension: 0 } },
    };
    const problems = checkLock(locked(lock), wanted);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['LOCK_STALE']));
    expect(problems.map((problem) => `${brief(problem)}: ${problem.message}`)).toEqual([
      'LOCK_STALE dev.lock.yaml:4:1 networks.web--api: the network web--api is not in the lock file',
      'LOCK_STALE dev.lock.yaml:5:18 networks.api--postgres: the network api--postgres is not in the settings any more',
      'LOCK_STALE dev.lock.yaml:7:1 volumes.more-data: the volume more-data is not in the lock file',
      'LOCK_STALE dev.lock.yaml:8:18 volumes.postgres-data: the volume postgres-data is not in the settings any more',
      'LOCK_STALE dev.lock.yaml:10:1 secrets.web-key: the secret web-key is not in the lock file',
      'LOCK_STALE dev.lock.yaml:12:5 secrets.api-key: the secret api-key is not in the settings any more',
      'LOCK_STALE dev.lock.yaml:17:1 collections.more: the collection more is not in the lock file',
      'LOCK_STALE dev.lock.yaml:19:5 collections.courses: the collection courses is not in the settings any more',
    ]);
  });

  test.each([
    ['10.9.0.0/29', /^10\.9\.0\.0\/29 lies outside host\.networkPool, 10\.0\.0\.0\/24$/],
    ['10.0.0.0/29', /^10\.0\.0\.0\/29 is the subnet of api--postgres too$/],
    ['10.0.0.4/30', /^10\.0\.0\.4\/30 is no \/29/],
  ])('a network cannot stay on %s', (subnet, message) => {
    const bad = { ...lock, networks: { ...lock.networks, 'api--qdrant': subnet } };
    const problems = checkLock(locked(bad), PROMISES);
    expect(problems.map(brief)).toEqual(['LOCK_STALE dev.lock.yaml:6:16 networks.api--qdrant']);
    expect(problems[0]?.message).toMatch(message);
  });

  test('names the file alone for a lock without places', () => {
    const { lockPlaceOf: _, ...unplaced } = locked(lock);
    expect(checkLock(unplaced, promises({ secrets: ['api-key'] })).map(brief)).toEqual([
      'LOCK_STALE dev.lock.yaml secrets.qdrant-key',
    ]);
  });
});

describe('the file', () => {
  const lock = plan(undefined, PROMISES);

  test('has the same bytes for the same promises, whatever their order, and reads as them', () => {
    const text = serialiseLock(lock, 'dev');
    const shuffled = JSON.parse(JSON.stringify(lock), (_key, value) =>
      value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    );
    expect(serialiseLock(shuffled, 'dev')).toBe(text);
    expect(parseLock(text, 'dev.lock.yaml').lock).toEqual(lock);
    expect(text).toMatchInlineSnapshot(`
      "# What dev has been promised: synth refuses to break it. Commit this file with dev.yaml.
      # Written by \`ragdock lock dev\` and \`ragdock secrets init dev\`; not meant to be edited.
      lock: 1
      networks:
        api--postgres: 10.0.0.0/29
        api--qdrant: 10.0.0.8/29
      volumes:
        postgres-data: dev-postgres-data
        qdrant-data: dev-qdrant-data
      secrets:
        api-key:
          version: 1
        qdrant-key:
          version: 1
      postgres:
        major: 15
      collections:
        courses:
          language: russian
          embedding: none
          dimension: 0
      "
    `);
  });

  test.each([
    ['empty', '', 'LOCK_INVALID x', /no promises/],
    ['no YAML', 'lock: [', 'LOCK_INVALID x:1:8', /./],
    ['a version that is not known', 'lock: 2', 'LOCK_INVALID x:1:7 lock', /expected 1/],
    ['a repeated key', 'lock: 1\nlock: 1\n', 'LOCK_INVALID x:2:1', /already/],
    [
      'conflict markers',
      `lock: 1\n<<<<<<< ours\nvolumes: {}\n=======\n>>>>>>> theirs\n`,
      'LOCK_INVALID x:2:1',
      /conflict markers/,
    ],
  ])('%s is told as damage', (_name, text, where, message) => {
    const [problem] = parseLock(text, 'x').problems;
    expect(problem && brief(problem)).toBe(where);
    expect(problem?.message).toMatch(message);
  });

  test('every damaged promise is told', () => {
    const text = serialiseLock(lock, 'dev')
      .replace('10.0.0.8/29', 'here')
      .replace('version: 1', 'version: zero')
      .replace('major: 15', 'major: 9');
    expect(parseLock(text, 'x').problems.map(brief)).toEqual([
      'LOCK_INVALID x:6:16 networks.api--qdrant',
      'LOCK_INVALID x:12:14 secrets.api-key.version',
      'LOCK_INVALID x:16:10 postgres.major',
    ]);
  });

  test('changes are told one by one, without fingerprints', () => {
    const fingerprint = `sha256:${'0'.repeat(16)}:${'1'.repeat(64)}`;
    const before = { ...lock, secrets: { ...lock.secrets, 'api-key': { version: 1, fingerprint } } };
    const after = plan(
      before,
      { ...PROMISES, networks: ['new'], volumes: {}, secrets: ['api-key'], postgresMajor: 16 },
      ['postgres-major'],
    );
    expect(lockChanges(before, after)).toEqual([
      '+ networks.new 10.0.0.0/29',
      '~ postgres.major 15 → 16',
      '- networks.api--postgres 10.0.0.0/29',
      '- networks.api--qdrant 10.0.0.8/29',
      '- volumes.postgres-data dev-postgres-data (the data stays where it is)',
      '- volumes.qdrant-data dev-qdrant-data (the data stays where it is)',
      '- secrets.qdrant-key version 1',
    ]);
    expect(lockChanges(lock, lock)).toEqual([]);
  });
});

/** A small generator of numbers below 1, the same ones in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
