import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { App, type TerraformBackend, TerraformStack, Testing } from '../../constructs/tf.js';
import { DockerStack, type DockerStackProps } from '../../stacks/docker-stack.js';
import { RagStack, type RagStackProps } from '../../stacks/rag-stack.js';
import { MINIMAL, put } from '../config/project.js';
import { lockedProject } from '../secrets/project.js';
import { temporaryFolder } from '../support/folder.js';
import { type Resource, view } from '../support/synth.js';
import { aService, failureOf } from '../support/workloads.js';

const BUNDLE = { context: '../../../dist/apps', hash: '000000000000' };

const json = (stack: TerraformStack): Resource => {
  stack.prepareStack();
  return JSON.parse(Testing.synth(stack, true));
};

function aStack(state: DockerStackProps['state'] & object, app = new App({ outdir: temporaryFolder() })): DockerStack {
  const stack = new DockerStack(app, 'alone', { bundle: BUNDLE, networkPool: '10.240.0.0/20', state });
  aService(stack, 'server');
  return stack;
}

/** The stack of an environment file with this text at its end. */
function environmentStack(text: string, props: RagStackProps = {}): Resource {
  const cwd = lockedProject();
  const { file } = loadEnvironment('dev', { cwd });
  put(cwd, file, `${MINIMAL}${text}`);
  const app = new App({ outdir: temporaryFolder() });
  return json(new RagStack(app, loadEnvironment('dev', { cwd }), { bundle: BUNDLE, ...props }));
}

describe('a stack in code', () => {
  test('keeps its state where it says, with nested settings and nothing for Terraform to interpret', () => {
    const state = {
      backend: 's3',
      config: { bucket: 'b', key: 'a/${x}%{y}', endpoints: { s3: 'https://${host}' }, skip_region_validation: true },
    };

    expect(json(aStack(state)).terraform.backend).toEqual({
      s3: {
        bucket: 'b',
        key: 'a/$${x}%%{y}',
        endpoints: { s3: 'https://$${host}' },
        skip_region_validation: true,
      },
    });
    expect(json(aStack({ backend: 'pg' })).terraform.backend).toEqual({ pg: {} });
    expect(json(aStack({ backend: 'local', config: { path: 'a.tfstate' } })).terraform.backend).toEqual({
      local: { path: '../../../a.tfstate' },
    });
  });

  test('is refused with a secret, and the message holds none', () => {
    const failure = failureOf(() => aStack({ backend: 'http', config: { password: 'pass-of-nobody' } }));

    expect(failure).toMatchObject({ code: 'MODEL_INVALID', path: 'alone.state.config.password' });
    expect(failure.remedy).toContain('TF_HTTP_PASSWORD');
    expect(JSON.stringify(failure)).not.toContain('pass-of-nobody');
  });

  test('can be referred to by another stack, which reads the same state', () => {
    const app = new App({ outdir: temporaryFolder() });
    const stack = aStack({ backend: 'pg', config: { schema_name: 'alone' } }, app);
    const other = new TerraformStack(app, 'other');

    const backend = stack.node.findChild('backend') as TerraformBackend;
    backend.getRemoteStateDataSource(other, 'theirs', 'alone');

    expect(json(other).data.terraform_remote_state).toEqual({
      theirs: { backend: 'pg', config: { schema_name: 'alone' } },
    });
  });
});

describe('an environment', () => {
  test('keeps its state where the file says, or the code', () => {
    const yaml = 'state: {backend: pg, config: {schema_name: dev}}\n';

    expect(environmentStack('').terraform.backend).toEqual({ local: { path: '../../../state/dev.tfstate' } });
    expect(environmentStack(yaml).terraform.backend).toEqual({ pg: { schema_name: 'dev' } });
    expect(environmentStack(yaml, { state: { backend: 'consul', config: { path: 'p' } } }).terraform.backend).toEqual({
      consul: { path: 'p' },
    });
  });

  test.each([
    ['init', ''],
    ['fetch', 'secrets: {store: sops}\n'],
    ['fetch', "secrets: {store: command, command: [cat, '{name}']}\n"],
  ])('without a value a deploy names `ragdock secrets %s`', (command, yaml) => {
    const { containers } = view(environmentStack(yaml));

    const conditions = Object.values(containers).flatMap(({ lifecycle }) => lifecycle?.precondition ?? []);
    expect(conditions.length).toBeGreaterThan(3);
    for (const { error_message } of conditions) {
      expect(error_message).toMatch(new RegExp(`Run: npx ragdock secrets ${command} dev$`));
    }
  });
});
