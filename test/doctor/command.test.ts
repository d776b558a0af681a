import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { DoctorReport } from '../../src/doctor/report.js';
import { expectedContainers } from '../../src/status/expected.js';
import { ragdock } from '../cli/terminal.js';
import { MINIMAL, project, put } from '../config/project.js';
import { changes } from '../status/support.js';
import { type DoctorEngine, doctorEngine } from './support/deployed-engine.js';

/** A project whose dev runs, with secrets of its own, and all of it well. */
async function deployedProject(): Promise<{ cwd: string; it: DoctorEngine }> {
  const cwd = project({ 'dev.yaml': MINIMAL });
  await ragdock(['lock', 'dev'], { cwd });
  await ragdock(['secrets', 'init', 'dev'], { cwd });
  const environment = loadEnvironment('dev', { cwd });
  const it = await doctorEngine(environment);
  // The image of the apps that are built here, if they are, is the one that runs.
  const built = expectedContainers(environment).get('rag-api')?.image;
  if (built) {
    it.engine.images = (it.engine.images as { RepoTags: string[] }[]).map((image) =>
      image.RepoTags.some((tag) => tag.startsWith('ragdock-apps:'))
        ? { ...image, RepoTags: [...image.RepoTags, built] }
        : image,
    );
  }
  put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: ${it.engine.address}\n`);
  return { cwd, it };
}

const secretOf = (cwd: string, name: string): string =>
  readFileSync(join(cwd, '.ragdock/secrets/dev', `${name}.v1`), 'utf8').trim();

test('a stack that is well: nothing found, exit code 0', async () => {
  const { cwd } = await deployedProject();

  expect(await ragdock(['doctor', 'dev'], { cwd })).toEqual({ exit: 0, stdout: 'dev: nothing found\n', stderr: '' });
  const { exit, stdout } = await ragdock(['doctor', 'dev', '--json'], { cwd });
  expect(exit).toBe(0);
  expect(DoctorReport.parse(JSON.parse(stdout))).toMatchObject({ ok: true, findings: [] });
});

test('what is broken, for people: the likeliest cause first, with evidence, meaning and remedy', async () => {
  const { cwd, it } = await deployedProject();
  changes(it.engine, 'dev-qdrant', { State: { Status: 'paused' } });
  changes(it.engine, 'dev-rag-api', { State: { Health: { Status: 'unhealthy', Log: [{ Output: 'no\u001b[2J' }] } } });
  const { exit, stdout, stderr } = await ragdock(['doctor', 'dev'], { cwd });

  expect(exit).toBe(1);
  expect(stdout).toMatch(
    /^BROKEN {2}qdrant: container-paused\n {4}seen {2}docker inspect dev-qdrant: paused\n {4}Somebody paused it.*\n {4}→ `docker unpause dev-qdrant`\n\nBROKEN {2}rag-api: probe-fails\n/,
  );
  expect(stdout).not.toContain('\u001b');
  expect(stderr).toMatch(/^DOCTOR_FOUND {2}dev\n {4}2 findings; first qdrant: container-paused\n/);
});

test('what several services have alike is told once', async () => {
  const { cwd, it } = await deployedProject();
  for (const name of ['dev-qdrant', 'dev-postgres'])
    changes(it.engine, name, { HostConfig: { RestartPolicy: { Name: 'no' } } });
  const { stdout } = await ragdock(['doctor', 'dev'], { cwd });

  expect(stdout).toMatch(/^risk {2}postgres, qdrant: drifted\n/);
  expect(stdout.match(/drifted/g)).toHaveLength(1);
});

test('a risk alone is told, and stops no pipeline', async () => {
  const { cwd, it } = await deployedProject();
  changes(it.engine, 'dev-qdrant', { HostConfig: { RestartPolicy: { Name: 'no' } } });
  const { exit, stdout, stderr } = await ragdock(['doctor', 'dev'], { cwd });

  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout).toMatch(/^risk {2}qdrant: drifted\n/);
});

test('an engine that cannot be reached is a finding, as data too', async () => {
  const { cwd } = await deployedProject();
  put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: unix://${cwd}/none.sock\n`);
  const { exit, stdout } = await ragdock(['doctor', 'dev', '--json'], { cwd });

  expect(exit).toBe(1);
  expect(DoctorReport.parse(JSON.parse(stdout))).toMatchObject({
    ok: false,
    engine: `unix://${cwd}/none.sock`,
    findings: [{ id: 'engine-unreachable', severity: 'broken' }],
  });
});

test('what is wrong with the environment file stays an error', async () => {
  const { cwd } = await deployedProject();
  put(cwd, 'config/environments/dev.yaml', 'schema: 1\nservices: nothing\n');
  const { exit, stdout, stderr } = await ragdock(['doctor', 'dev'], { cwd });

  expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
  expect(stderr).toContain('config/environments/dev.yaml');
});

describe('a service that holds a secret which this machine does not know', () => {
  /** Qdrant whose key is known to whoever deployed it, and which writes that key. */
  async function unknownKey(): Promise<{ cwd: string; it: DoctorEngine; secret: string }> {
    const { cwd, it } = await deployedProject();
    const secret = secretOf(cwd, 'qdrant-api-key');
    rmSync(join(cwd, '.ragdock/secrets/dev/qdrant-api-key.v1'));
    return { cwd, it, secret };
  }
  const withheld = 'this machine does not know qdrant-api-key, and cannot mask it; --allow-unmasked shows it';

  test('has its log and the output of its probe read, and not shown', async () => {
    const { cwd, it, secret } = await unknownKey();
    changes(it.engine, 'dev-qdrant', {
      State: { Health: { Status: 'unhealthy', Log: [{ Output: `probe ${secret}` }] } },
    });
    it.engine.logs.set('dev-qdrant', `2026-11-22T11:59:00Z key ${secret}\n`);
    // A service that does not hold it is shown as ever.
    changes(it.engine, 'dev-postgres', {
      State: { Health: { Status: 'unhealthy', Log: [{ Output: 'no response' }] } },
    });
    const told = await ragdock(['doctor', 'dev'], { cwd });
    const { stdout } = await ragdock(['doctor', 'dev', '--json'], { cwd });

    for (const text of [told.stdout, stdout]) {
      expect(text).not.toContain(secret);
      expect(text).toContain(withheld);
      expect(text).toContain('no response');
    }
    expect(DoctorReport.parse(JSON.parse(stdout)).findings).toMatchObject([
      { id: 'probe-fails', service: 'postgres' },
      {
        id: 'probe-fails',
        service: 'qdrant',
        evidence: ['docker inspect dev-qdrant: running, unhealthy', expect.any(String)],
      },
    ]);
    const accepted = await ragdock(['doctor', 'dev', '--allow-unmasked'], { cwd });
    expect(accepted.stdout).toContain(`probe ${secret}`);
    expect(accepted.stdout).toContain(`key ${secret}`);
  });

  test('is told by what its log says, without the words', async () => {
    const { cwd, it, secret } = await unknownKey();
    it.engine.logs.set('dev-qdrant', `2026-11-22T11:59:00Z ${secret}: No space left on device\n`);
    const { stdout } = await ragdock(['doctor', 'dev', '--json'], { cwd });

    expect(stdout).not.toContain(secret);
    expect(DoctorReport.parse(JSON.parse(stdout)).findings).toMatchObject([
      { id: 'disk-full', service: 'qdrant', evidence: [expect.stringContaining(withheld)] },
    ]);
  });
});

describe('a bundle', () => {
  test('lists and holds what was seen, masked, for its owner alone', async () => {
    const { cwd, it } = await deployedProject();
    const secret = secretOf(cwd, 'qdrant-api-key');
    const odd = 'o"d d/é-secret+value';
    writeFileSync(join(cwd, '.ragdock/secrets/dev/postgres-superuser-password.v2'), odd);
    const forms = [secret, odd, encodeURIComponent(odd), JSON.stringify(odd).slice(1, -1)];
    changes(it.engine, 'dev-qdrant', {
      State: {
        Status: 'exited',
        ExitCode: 1,
        Error: `refused ${odd}`,
        Health: { Status: 'unhealthy', Log: [{ Output: forms.join(' ') }] },
      },
    });
    // Longer than what is kept of a line: cut first, a piece of the secret would be left.
    it.engine.logs.set('dev-qdrant', `${forms.join(' ')}\n${'x'.repeat(490)}${secret}\n`);
    changes(it.engine, 'dev-rag-api', {
      State: { Health: { Status: 'unhealthy', Log: [{ Output: `${'y'.repeat(185)} ${secret}` }] } },
    });
    it.engine.logs.set('dev-rag-api', `2026-11-22T11:59:00Z Bearer ${secret}\n`);
    const yaml = readFileSync(join(cwd, 'config/environments/dev.yaml'), 'utf8');
    put(cwd, 'config/environments/dev.yaml', `# ${secret}\n${yaml}`);
    const { exit, stdout } = await ragdock(['doctor', 'dev', '--bundle', 'out.tgz'], { cwd });

    expect(exit).toBe(1);
    expect(statSync(join(cwd, 'out.tgz')).mode & 0o777).toBe(0o600);
    const files = await unpacked(join(cwd, 'out.tgz'));
    const names = [...files.keys()].map((name) => name.replace('ragdock-doctor-dev/', ''));
    expect(names).toEqual(
      expect.arrayContaining([
        'about.json',
        'findings.json',
        'evidence.json',
        'engine.json',
        'status.json',
        'environment/dev.yaml',
        'environment/dev.lock.yaml',
        'logs/qdrant.log',
        'logs/rag-api.log',
      ]),
    );
    for (const [name, text] of files) {
      expect(stdout).toMatch(new RegExp(` ${Buffer.byteLength(text)} +${name.replaceAll('.', '\\.')}\n`));
      for (const form of forms) expect(text.includes(form) || stdout.includes(form), `${name}: ${form}`).toBe(false);
      expect(text.includes(secret.slice(0, 10)), name).toBe(false);
    }
    const json = (name: string) => JSON.parse(files.get(`ragdock-doctor-dev/${name}`) ?? '');
    expect(DoctorReport.parse(json('findings.json')).findings[0]).toMatchObject({ service: 'qdrant' });
    expect(json('about.json')).toMatchObject({ ragdock: expect.stringMatching(/^\d+\.\d+/), secretsNotMasked: [] });
    expect(json('engine.json')).toMatchObject({ version: '20.10.24+dfsg1', about: { KernelVersion: '6.1.0' } });
    // The machine's name is nobody's business.
    expect(JSON.stringify(json('engine.json'))).not.toContain('host-of-somebody');
    expect(files.get('ragdock-doctor-dev/environment/dev.lock.yaml')).toBe(
      readFileSync(join(cwd, 'config/environments/dev.lock.yaml'), 'utf8'),
    );
    expect(files.get('ragdock-doctor-dev/logs/rag-api.log')).toBe('2026-11-22T11:59:00.000Z Bearer ***\n');
  });

  test('is not written where a secret is not known, unless that is accepted', async () => {
    const { cwd } = await deployedProject();
    rmSync(join(cwd, '.ragdock/secrets/dev/qdrant-api-key.v1'));
    const refused = await ragdock(['doctor', 'dev', '--bundle', 'out.tgz'], { cwd });

    expect(refused).toMatchObject({ exit: 2, stdout: 'dev: nothing found\n' });
    expect(refused.stderr).toMatch(/^LOGS_UNMASKABLE {2}dev\n {4}this machine does not know qdrant-api-key/);
    expect(statSync(join(cwd, 'out.tgz'), { throwIfNoEntry: false })).toBeUndefined();
    const accepted = await ragdock(['doctor', 'dev', '--json', '--bundle', 'out.tgz', '--allow-unmasked'], { cwd });
    expect(accepted.exit).toBe(0);
    expect(DoctorReport.parse(JSON.parse(accepted.stdout)).ok).toBe(true);
    expect(accepted.stderr).toMatch(/^\nout\.tgz written, not masked: qdrant-api-key; [\s\S]*about\.json\n/);
    const about = (await unpacked(join(cwd, 'out.tgz'))).get('ragdock-doctor-dev/about.json') ?? '';
    expect(JSON.parse(about)).toMatchObject({ secretsNotMasked: ['qdrant-api-key'] });
  });

  test('of an engine that cannot be reached holds the files and why', async () => {
    const { cwd } = await deployedProject();
    put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: unix://${cwd}/none.sock\n`);
    await ragdock(['doctor', 'dev', '--bundle', 'out.tgz', '--allow-unmasked'], { cwd });
    const files = await unpacked(join(cwd, 'out.tgz'));

    expect([...files.keys()].map((name) => name.replace('ragdock-doctor-dev/', ''))).toEqual([
      'about.json',
      'findings.json',
      'evidence.json',
      'environment/dev.yaml',
      'environment/dev.lock.yaml',
    ]);
  });

  test('that cannot be written is an error with its file', async () => {
    const { cwd } = await deployedProject();
    const { exit, stderr } = await ragdock(
      ['doctor', 'dev', '--bundle', 'no/such/folder/out.tgz', '--allow-unmasked'],
      { cwd },
    );

    expect(exit).toBe(2);
    expect(stderr).toMatch(/^DOCTOR_BUNDLE_UNWRITABLE {2}no\/such\/folder\/out\.tgz\n {4}ENOENT/);
  });
});

/** The texts of an archive, by name. */
async function unpacked(file: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const entries = Readable.from([gunzipSync(readFileSync(file))]).pipe(extract());
  for await (const entry of entries) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece as Buffer);
    expect(entry.header.mode).toBe(0o600);
    files.set(entry.header.name, Buffer.concat(pieces).toString('utf8'));
  }
  return files;
}
