import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serialiseLock } from '../../config/lock-file.js';
import { isSubnet } from '../../config/subnets.js';
import { readBundle } from '../../src/apps/bundle.js';
import { type Synthesised, view } from '../support/synth.js';
import { DEV, DEV_LOCK } from './support/dev.js';
import { fences, PAGES, ROOT } from './support/markdown.js';

const run = promisify(execFile);
const EXAMPLES = join(ROOT, 'docs/examples');
const PROJECT = mkdtempSync(join(tmpdir(), 'ragdock-examples-'));

test('the pages show the example files, all of them and nothing else', () => {
  const files = readdirSync(EXAMPLES).filter((file) => file.endsWith('.ts'));
  const texts = files.map((file) => readFileSync(join(EXAMPLES, file), 'utf8').trimEnd());
  expect(PAGES.flatMap((page) => fences(page, 'ts')).sort()).toEqual(texts.sort());
});

test.each([
  ['environment.ts', 10],
  ['single-constructs.ts', 10],
  ['override-container.ts', 10],
  ['own-service.ts', 15],
])('%s takes at most %d lines', (file, most) => {
  const lines = readFileSync(join(EXAMPLES, file), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(most);
});

test('the examples fit the types', async () => {
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', EXAMPLES]);
});

beforeAll(() => {
  readBundle(); // says by itself what to do when the apps have to be built
  const environments = join(PROJECT, 'config/environments');
  mkdirSync(environments, { recursive: true });
  cpSync(join(ROOT, 'config/environments/dev.yaml'), join(environments, 'dev.yaml'));
  writeFileSync(join(environments, 'dev.lock.yaml'), serialiseLock(DEV_LOCK, 'dev'));
  // The package as the examples import it.
  const compilerOptions = { paths: { ragdock: [join(ROOT, 'src/index.ts')] } };
  writeFileSync(join(PROJECT, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(join(PROJECT, 'package.json'), JSON.stringify({ type: 'module' }));
});

afterAll(() => rmSync(PROJECT, { recursive: true }));

/** Run an example as its reader would, in a project with an environment and its lock file. */
async function synthesised(example: string, stack: string): Promise<Synthesised> {
  const tsx = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href;
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(PROJECT, 'tsconfig.json') };
  await run(process.execPath, ['--import', tsx, join(EXAMPLES, example)], { cwd: PROJECT, env });
  return view(JSON.parse(readFileSync(join(PROJECT, 'cdktf.out/stacks', stack, 'cdk.tf.json'), 'utf8')));
}

test('environment.ts is the whole environment', async () => {
  const { containers, images, json } = await synthesised('environment.ts', 'dev');

  expect(Object.keys(containers).sort()).toEqual(Object.keys(DEV.containers).sort());
  expect(json.terraform.backend.local.path).toBe('../../../state/dev.tfstate');
  const output = join(PROJECT, 'cdktf.out/stacks/dev');
  expect(images['bundled-apps']?.build.context).toBe(relative(output, join(ROOT, 'dist/apps')));
});

test('own-service.ts adds a service that is connected both ways, and moves no network', async () => {
  const { container, networks, files } = await synthesised('own-service.ts', 'dev');

  expect(container('report').env).toEqual([
    'RAG_API_KEY_FILE=/run/secrets/rag-api-key.v1',
    'RAG_API_URL=http://dev-rag-api:8000',
  ]);
  expect(container('report')).toMatchObject({ read_only: true, capabilities: { drop: ['ALL'] }, memory: 128 });
  expect(files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml']).toContain('dev-report:9100');
  const { 'report--rag-api': asks, 'prometheus--report': scrapes, ...promised } = networks;
  for (const network of [asks, scrapes]) {
    expect(network).toMatchObject({ internal: true });
    expect(network?.ipam_config[0].subnet).toMatch(/^10\.240\./);
    expect(network?.ipam_config[0].subnet).toSatisfy(isSubnet);
  }
  const subnets = Object.entries(promised).map(
    ([
      id,
      {
        ipam_config: [ipam],
      },
    ]) => [id, ipam.subnet],
  );
  expect(Object.fromEntries(subnets)).toEqual(DEV_LOCK.networks);
});

test('single-constructs.ts needs no environment', async () => {
  const { containers, container, json } = await synthesised('single-constructs.ts', 'vectors');

  expect(
    Object.keys(containers)
      .filter((id) => !id.endsWith('_files'))
      .sort(),
  ).toEqual(['prometheus', 'prometheus-ownership', 'qdrant', 'qdrant-ownership']);
  expect(container('qdrant')).toMatchObject({ name: 'vectors-qdrant', memory: 4096 });
  expect(container('qdrant').ports).toEqual([{ internal: 6333, external: 6333, ip: '127.0.0.1', protocol: 'tcp' }]);
  expect(json.terraform.backend.local.path).toBe('../../../state/vectors.tfstate');
});

test('override-container.ts changes one container', async () => {
  const { container } = await synthesised('override-container.ts', 'dev');

  expect(container('llm-main').cpu_set).toBe('0-1');
  expect(container('qdrant').cpu_set).toBeUndefined();
});
