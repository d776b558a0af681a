import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serialiseLock } from '../../config/lock-file.js';
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

test('the examples fit the types', async () => {
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', EXAMPLES]);
});

beforeAll(() => {
  const environments = join(PROJECT, 'config/environments');
  mkdirSync(environments, { recursive: true });
  cpSync(join(ROOT, 'config/environments/dev.yaml'), join(environments, 'dev.yaml'));
  writeFileSync(join(environments, 'dev.lock.yaml'), serialiseLock(DEV_LOCK, 'dev'));
  // The package as the examples import it, but for the bundle: whether that is built and fresh is no concern here.
  const bundle = JSON.stringify({ context: join(PROJECT, 'node_modules/ragdock/dist/apps'), hash: '0123456789ab' });
  const source = JSON.stringify(join(ROOT, 'src/index.ts'));
  const stand = `export * from ${source};\nexport const readBundle = () => (${bundle});\n`;
  writeFileSync(join(PROJECT, 'ragdock.ts'), stand);
  const compilerOptions = { paths: { ragdock: ['./ragdock.ts'] } };
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
  expect(images['bundled-apps']?.build.context).toBe('../../../node_modules/ragdock/dist/apps');
});

test('own-service.ts adds a service that is connected both ways', async () => {
  const { container, networks, files } = await synthesised('own-service.ts', 'dev');

  expect(container('report').env).toEqual([
    'RAG_API_KEY_FILE=/run/secrets/rag-api-key.v1',
    'RAG_API_URL=http://dev-rag-api:8000',
  ]);
  expect(container('report')).toMatchObject({ read_only: true, capabilities: { drop: ['ALL'] }, memory: 128 });
  expect(networks['report--rag-api']).toMatchObject({ internal: true, ipam_config: [{ subnet: '10.240.0.0/29' }] });
  expect(files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml']).toContain('dev-report:9100');
  expect(container('llm-main').cpu_set).toBe('0-1');
});

test('single-constructs.ts needs no environment', async () => {
  const { containers, container } = await synthesised('single-constructs.ts', 'vectors');

  expect(
    Object.keys(containers)
      .filter((id) => !id.endsWith('_files'))
      .sort(),
  ).toEqual(['prometheus', 'prometheus-ownership', 'qdrant', 'qdrant-ownership']);
  expect(container('qdrant')).toMatchObject({ name: 'vectors-qdrant', memory: 4096 });
  expect(container('qdrant').ports).toEqual([{ internal: 6333, external: 6333, ip: '127.0.0.1', protocol: 'tcp' }]);
});
