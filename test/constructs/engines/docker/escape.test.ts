import { describe, expect, test } from 'vitest';
import { tfEscape } from '../../../../constructs/engines/docker/escape.js';
import { overrideContainer } from '../../../../constructs/engines/docker/index.js';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aService } from '../../../support/workloads.js';

/** What Terraform makes of a JSON string without a template in it. */
const unescaped = (text: string): string => text.replaceAll('$${', '${').replaceAll('%%{', '%{');

const LITERALS = ['${X}', '%{X}', '%{if x}', '$X', '$${X}', 'a${b}c%{d}e', '100%', '{}', "curl -w '%{http_code}'"];

test.each(LITERALS)('%j comes back as it was, and holds no template', (literal) => {
  expect(unescaped(tfEscape(literal))).toBe(literal);
  expect(tfEscape(literal)).not.toMatch(/(?<!\$)\$\{|(?<!%)%\{/);
});

test('leaves alone what is no template', () => {
  expect(tfEscape('$X 100% {}')).toBe('$X 100% {}');
  expect(tfEscape('${X} %{Y}')).toBe('$${X} %%{Y}');
});

describe('through a real synth', () => {
  const text = '${X} %{Y}';
  const escaped = '$${X} %%{Y}';
  const { container, json } = synthesiseWorkloads(
    (stack) => {
      const service = aService(stack, 'service', {
        entrypoint: ['/bin/sh', text],
        command: ['serve', text],
        environment: { GREETING: text },
        healthCheck: { command: ['check', text] },
        tmpfs: [{ path: `/tmp/${text}`, sizeMiB: 1 }],
      });
      service.addDataVolume({ id: 'data', path: `/data/${text}` });
      service.addHostMount({ hostPath: `/host/${text}`, path: `/mnt/${text}`, reason: 'a test of names' });
    },
    {},
    { host: `tcp://${text}` },
  );

  test.each([
    ['the entrypoint', () => container('service').entrypoint[1], escaped],
    ['the command', () => container('service').command[1], escaped],
    ['the environment', () => container('service').env[0], `GREETING=${escaped}`],
    ['the health check', () => container('service').healthcheck.test[2], escaped],
    ['a mount point', () => container('service').mounts[0].target, `/data/${escaped}`],
    ['a folder of the host', () => container('service').mounts[1].source, `/host/${escaped}`],
    ['where that folder is mounted', () => container('service').mounts[1].target, `/mnt/${escaped}`],
    ['writable memory', () => container('service').mounts[2].target, `/tmp/${escaped}`],
  ])('%s stays literal', (_what, read, expected) => {
    expect(read()).toBe(expected);
  });

  test('the address of the engine stays literal', () => {
    expect(json.provider.docker[0].host).toBe(`tcp://${escaped}`);
  });

  test('references to other resources stay references', () => {
    expect(container('service').image).toBe('${docker_image.any-1.image_id}');
  });

  test('an override may speak to Terraform', () => {
    const { container } = synthesiseWorkloads((stack) => {
      overrideContainer(aService(stack, 'service'), (config) => ({ ...config, hostname: '${terraform.workspace}' }));
    });
    expect(container('service').hostname).toBe('${terraform.workspace}');
  });
});
