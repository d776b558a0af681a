import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fences, readPage } from '../docs/support/markdown.js';
import { ROOT } from '../support/environments.js';
import { makeConsumer } from './support/consumer.js';

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const FRAMEWORK = { cdktf: dependencies.cdktf, constructs: dependencies.constructs };
const EXAMPLES = readdirSync(join(ROOT, 'docs/examples')).filter((file) => file.endsWith('.ts'));

/** The strictest way to read what the package declares: its declarations are checked as well. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023'],
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  },
  files: EXAMPLES,
};

const consumer = makeConsumer({
  dependencies: FRAMEWORK,
  devDependencies: {
    typescript: devDependencies.typescript,
    'typescript-5': 'npm:typescript@5.9.3',
    '@types/node': devDependencies['@types/node'],
  },
});

beforeAll(async () => {
  for (const file of EXAMPLES) cpSync(join(ROOT, 'docs/examples', file), join(consumer.folder, file));
  writeFileSync(join(consumer.folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await consumer.install();
});

describe('types', () => {
  test('the examples fit them under the compiler of this project', async () => {
    expect(await consumer.run('node', 'node_modules/typescript/bin/tsc')).toBe('');
  });

  test('and under the one that most projects have', async () => {
    expect(await consumer.run('node', 'node_modules/typescript-5/bin/tsc', '--noEmit')).toBe('');
  });
});

describe('without development dependencies', () => {
  beforeAll(async () => {
    await consumer.install('--omit=dev');
  });

  test('there is no compiler left', () => {
    expect(existsSync(join(consumer.folder, 'node_modules/typescript'))).toBe(false);
  });

  test('the command line tells what it can do', async () => {
    expect(await consumer.run('npx', 'ragdock', '--help')).toMatch(/^Usage: ragdock /);
  });

  test('the command line finds an environment to be valid', async () => {
    expect(await consumer.run('npx', 'ragdock', 'validate')).toBe('valid  dev  config/environments/dev.yaml\n');
  });

  test('the stack in one process answers', async () => {
    const output = await consumer.run('npx', 'ragdock', 'up', '--once', '--port', '0', '--data-dir', 'embedded');

    expect(output).toMatch(/embedded answers: \d+ checks passed, 0 failed/);
    expect(output).toMatch(/^ {2}1\. ru\/\S+\.md /m);
  });

  test('environment.ts is the whole environment, with the apps of the package', async () => {
    const { container, images, json } = await consumer.synthesise('environment.js', 'dev');

    expect(container('rag-api').image).toBe('${docker_image.bundled-apps.image_id}');
    expect(container('web-bot').ports).toEqual([{ internal: 8080, external: 8080, ip: '127.0.0.1', protocol: 'tcp' }]);
    expect(images['bundled-apps']?.build.context).toBe('../../../node_modules/ragdock/dist/apps');
    expect(json.terraform.backend.local.path).toBe('../../../state/dev.tfstate');
  });

  test('own-service.ts has its own service beside ours', async () => {
    const { container, files } = await consumer.synthesise('own-service.js', 'dev');

    expect(container('report').env).toContain('RAG_API_URL=http://dev-rag-api:8000');
    expect(files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml']).toContain('dev-report:9100');
  });

  test('single-constructs.ts needs no environment', async () => {
    const { container } = await consumer.synthesise('single-constructs.js', 'vectors');

    expect(container('qdrant')).toMatchObject({ name: 'vectors-qdrant', memory: 4096 });
  });

  test('override-container.ts has the last word', async () => {
    const { container } = await consumer.synthesise('override-container.js', 'dev');

    expect(container('llm-main').cpu_set).toBe('0-1');
  });
});

test('the successor of the framework synthesises the same', async () => {
  const [manifest = ''] = fences(readPage('docs/library.md'), 'json');
  const successor = makeConsumer(JSON.parse(manifest));
  cpSync(join(consumer.folder, 'environment.js'), join(successor.folder, 'environment.js'));
  await successor.install('--omit=dev');
  const installed = JSON.parse(readFileSync(join(successor.folder, 'node_modules/cdktf/package.json'), 'utf8'));
  const theirs = await successor.synthesise('environment.js', 'dev');
  const ours = await consumer.synthesise('environment.js', 'dev');

  expect(installed.name).toBe('cdktn');
  expect(existsSync(join(successor.folder, 'node_modules/ragdock/node_modules'))).toBe(false);
  expect(withoutVersion(theirs.json)).toEqual(withoutVersion(ours.json));
}, 300_000);

/** The framework names itself in the first lines of what it writes. */
function withoutVersion(json: Record<string, { readonly metadata: Record<string, unknown> }>): unknown {
  const { '//': head, ...rest } = json;
  return { ...rest, '//': { ...head, metadata: { ...head?.metadata, version: undefined } } };
}
