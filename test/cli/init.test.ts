import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadEnvironment } from '../../config/load.js';
import { STARTER_MODEL } from '../../src/init/starter-model.js';
import { synthesise } from '../../src/synth.js';
import { MINIMAL, project, put } from '../config/project.js';
import { type HostEngineOptions, hostEngine } from '../init/support/host-engine.js';
import { ROOT } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { ragdock } from './terminal.js';

const FOLDER = 'config/environments';
const textOf = (cwd: string, file: string): string => readFileSync(join(cwd, file), 'utf8');
const yamlOf = (cwd: string, name: string) => parse(textOf(cwd, `${FOLDER}/${name}.yaml`));
const settingsOf = (cwd: string, name: string) => loadEnvironment(name, { cwd }).settings;
/** Everything in a folder but what the test put there. */
const filesIn = (cwd: string) => readdirSync(cwd, { recursive: true, encoding: 'utf8' }).sort();

/** A machine without GPUs whose `docker` is told where the engine is. */
const machine = (address: string) => ({ DOCKER_HOST: address, PATH: temporaryFolder(), HOME: temporaryFolder() });

async function initOn(engine: HostEngineOptions, args: readonly string[], cwd = project()) {
  const { address } = await hostEngine(engine);
  const outcome = await ragdock(['init', ...args], { cwd, env: machine(address) });
  return { cwd, address, ...outcome };
}

/** What a new environment has to survive: the commands that come next. */
async function roundTrip(cwd: string, name: string): Promise<void> {
  expect(await ragdock(['validate', name], { cwd })).toMatchObject({ exit: 0, stderr: '' });
  expect(await ragdock(['lock', name, '--check'], { cwd })).toMatchObject({ exit: 0, stderr: '' });
  expect((await ragdock(['secrets', 'init', name], { cwd })).exit).toBe(0);
  const outdir = temporaryFolder();
  const bundle = { context: join(cwd, 'apps'), hash: '000000000000' };
  expect(synthesise({ cwd, only: name, outdir, bundle }).map((environment) => environment.name)).toEqual([name]);
  expect(existsSync(join(outdir, 'stacks', name, 'cdk.tf.json'))).toBe(true);
}

describe('ragdock init', () => {
  test('makes an environment in an empty folder that is valid, locked and can be synthesised', async () => {
    const { cwd, exit, stdout, stderr, address } = await initOn({ memoryGiB: 64 }, ['lab']);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^config\/environments\/lab\.lock\.yaml written\nconfig\/environments\/lab\.yaml written\n/);
    expect(stdout).toContain(`Docker 28.2.2 at ${address} (from DOCKER_HOST)`);
    expect(stdout).toMatch(/memory {4}64\.0 GiB, of which the services take 5\.3 GiB at most\n/);
    expect(stdout).toMatch(/GPU {7}none found\n/);
    expect(stdout).toMatch(
      /\n {2}npx ragdock secrets init lab\n {2}npx cdktf deploy lab .*\n {2}npx ragdock smoke lab\n$/,
    );
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).toContain(`  docker: ${address} # from DOCKER_HOST\n`);
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).not.toMatch(/memory:|yaml-language-server/);
    expect(settingsOf(cwd, 'lab').services.api.courses).toEqual(['demo']);
    await roundTrip(cwd, 'lab');
  });

  test('lowers memory limits until they fit, and writes no others', async () => {
    const { cwd, stdout } = await initOn({ memoryGiB: 4 }, ['lab']);
    expect(stdout).toMatch(/4\.0 GiB, of which the services take 3\.2 GiB at most; lower limits than the defaults/);
    const { services } = yamlOf(cwd, 'lab');
    expect([services.llm.main.memory, services.qdrant.memory, services.postgres]).toEqual([
      '1GiB',
      '512MiB',
      undefined,
    ]);
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).toMatch(/^# Memory limits below the defaults make the services fit/m);
    await roundTrip(cwd, 'lab');
  });

  test('does without Prometheus, with a warning, where not even the least fits', async () => {
    const { cwd, exit, stdout } = await initOn({ memoryGiB: 2 }, ['lab']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/too little for the system, so expect services to be killed when all are busy/);
    expect(settingsOf(cwd, 'lab').services.prometheus.enabled).toBe(false);
    await roundTrip(cwd, 'lab');
  });

  test('says of GPUs that they are not used, and by what they would be', async () => {
    const DiscoveredDevices = [{ Source: 'cdi', ID: 'nvidia.com/gpu=0' }];
    const { cwd, stdout } = await initOn({ info: { Runtimes: { nvidia: {} }, DiscoveredDevices } }, ['lab']);
    expect(stdout).toMatch(/GPU {7}nvidia\.com\/gpu=0: not used here; engine: vllm runs models on cards\n/);
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).toMatch(
      /^# Not used here: nvidia\.com\/gpu=0\. A model with engine: vllm/m,
    );
    expect((await initOn({ info: { Runtimes: { nvidia: {} } } }, ['lab'])).stdout).toMatch(
      /GPU {7}the engine has the runtime nvidia, but no card was seen/,
    );
  });

  test('takes defaults, and says so, when no engine answers', async () => {
    const cwd = project();
    const { exit, stdout, stderr } = await ragdock(['init', 'lab'], { cwd, env: machine('unix:///nowhere/d.sock') });
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/engine {4}none answers at unix:\/\/\/nowhere\/d\.sock .*ENOENT.*; defaults are used\n/);
    await roundTrip(cwd, 'lab');
  });

  test('a second environment of the same host keeps away from the first', async () => {
    const { cwd, address } = await initOn({ memoryGiB: 64 }, ['dev']);
    const env = machine(address);
    const second = await ragdock(['init', 'lab'], { cwd, env });
    expect(second.stdout).toMatch(
      /network {3}10\.231\.16\.0\/20, since 10\.231\.0\.0\/20 belongs to the environment dev\n/,
    );
    expect(await ragdock(['validate'], { cwd })).toMatchObject({ exit: 0, stderr: '' });
    const [dev, lab] = [settingsOf(cwd, 'dev'), settingsOf(cwd, 'lab')];
    expect(lab.services.webBot.publish.port).toBeGreaterThan(dev.services.webBot.publish.port);
    await roundTrip(cwd, 'lab');
  });

  test('keeps away from networks and ports of the engine that are no environment’s', async () => {
    const { cwd } = await initOn(
      {
        networks: [{ name: 'office', subnet: '10.231.0.0/16' }],
        ports: [{ container: 'wiki', port: 8080 }],
      },
      ['lab'],
    );
    expect(settingsOf(cwd, 'lab').host.networkPool).toBe('10.232.0.0/20');
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).toMatch(/port: 80\d\d # 8080 belongs to the container wiki$/m);
    await roundTrip(cwd, 'lab');
  });

  test('takes courses and the address of the engine as they are given, whatever YAML would take them for', async () => {
    const { address } = await hostEngine();
    const cwd = project();
    const args = ['init', 'lab', '--host', address, '--course', 'физика', '1', 'true', 'a b'];
    expect((await ragdock(args, { cwd, env: machine('tcp://203.0.113.1:1') })).exit).toBe(0);
    expect(settingsOf(cwd, 'lab').services.api.courses).toEqual(['физика', '1', 'true', 'a b']);
    expect(settingsOf(cwd, 'lab').host.docker).toBe(address);
    await roundTrip(cwd, 'lab');
  });

  test('names of others cannot break out of a comment', async () => {
    const { cwd } = await initOn({ info: { ServerVersion: '1\nschema: 2\u001b[2J' } }, ['lab']);
    expect(settingsOf(cwd, 'lab').schema).toBe(1);
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).not.toContain('\u001b');
  });

  test('names the schema for editors where it is: in this checkout, or in the installed package', async () => {
    const first = async (file: string) => {
      const cwd = project();
      put(cwd, file, '{}');
      await initOn({}, ['lab'], cwd);
      return textOf(cwd, `${FOLDER}/lab.yaml`).split('\n')[0];
    };
    expect(await first('config/schema.json')).toBe('# yaml-language-server: $schema=../schema.json');
    expect(await first('node_modules/ragdock/config/schema.json')).toBe(
      '# yaml-language-server: $schema=../../node_modules/ragdock/config/schema.json',
    );
  });

  test('makes a folder with an installed ragdock a cdktf project, and leaves one that is', async () => {
    const cwd = project();
    put(cwd, 'node_modules/ragdock/dist/src/main.js', '');
    const { stdout } = await initOn({}, ['lab'], cwd);
    expect(stdout).toMatch(/^cdktf\.json written$/m);
    expect(JSON.parse(textOf(cwd, 'cdktf.json'))).toMatchObject({ app: 'node node_modules/ragdock/dist/src/main.js' });
    put(cwd, 'cdktf.json', '{}');
    expect((await initOn({}, ['other'], cwd)).exit).toBe(0);
    expect(textOf(cwd, 'cdktf.json')).toBe('{}');
  });
});

describe('what ragdock init refuses', () => {
  test('a file that is there, without touching anything', async () => {
    const cwd = project({ 'lab.yaml': MINIMAL, 'lab.lock.yaml': 'promises' });
    const { exit, stdout, stderr } = await initOn({}, ['lab'], cwd);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr.match(/^FILE_EXISTS {2}.*$/gm)).toEqual([
      'FILE_EXISTS  config/environments/lab.yaml',
      'FILE_EXISTS  config/environments/lab.lock.yaml',
    ]);
    expect(textOf(cwd, `${FOLDER}/lab.yaml`)).toBe(MINIMAL);
    expect(textOf(cwd, `${FOLDER}/lab.lock.yaml`)).toBe('promises');
  });

  test('bad values, all at once', async () => {
    const { cwd, exit, stderr } = await initOn({}, ['../Lab', '--host', 'here', '--course', 'fine', 'not/fine']);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/"\.\.\/Lab" is no name of an environment/);
    expect(stderr).toMatch(/--host "here" is no address/);
    expect(stderr).toMatch(/--course: .*"not\/fine"/);
    expect(stderr).toMatch(/\n3 problems\n$/);
    expect(filesIn(cwd)).toEqual([]);
  });

  test('a name whose containers another environment has', async () => {
    const { address } = await hostEngine();
    const dev = `${MINIMAL}host: {docker: "${address}"}\nextraServices: {lab-qdrant: {image: "a:1"}}\n`;
    const cwd = project({ 'dev.yaml': dev });
    const { exit, stderr } = await ragdock(['init', 'dev-lab'], { cwd, env: machine(address) });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^NAME_CLASH {2}config\/environments\/dev-lab\.yaml {2}services\.qdrant\.container$/m);
    expect(filesIn(cwd)).toEqual(['config', 'config/environments', 'config/environments/dev.yaml']);
  });

  test('a folder where nothing can be made, and leaves nothing behind', async () => {
    const cwd = temporaryFolder();
    put(cwd, 'config', 'a file');
    const { exit, stderr } = await initOn({}, ['lab'], cwd);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^FILE_UNWRITABLE {2}config\/environments\/lab\.lock\.yaml$/m);
    expect(filesIn(cwd)).toEqual(['config']);
  });
});

test('Ctrl-C while the engine is waited for writes nothing', async () => {
  const engine = await hostEngine();
  const interrupt = new AbortController();
  engine.intercept = () => {
    interrupt.abort();
    return true;
  };
  const cwd = project();
  const { exit } = await ragdock(['init', 'lab'], { cwd, env: machine(engine.address), signal: interrupt.signal });
  expect(exit).toBe(130);
  expect(filesIn(cwd)).toEqual([]);
});

test('the model of a new environment is that of dev', () => {
  expect(settingsOf(ROOT, 'dev').services.llm.main?.model).toEqual(STARTER_MODEL);
});
