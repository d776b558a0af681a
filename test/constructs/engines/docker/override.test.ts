import { expect, test } from 'vitest';
import { overrideContainer } from '../../../../constructs/engines/docker/index.js';
import { labelOf, synthesiseWorkloads } from '../../../support/synth.js';
import { aService } from '../../../support/workloads.js';

test('is applied last: it sees what the engine made, and has the last word', () => {
  let seen: unknown;
  const { container } = synthesiseWorkloads((stack) => {
    overrideContainer(aService(stack, 'service', { memoryMiB: 64 }), (config) => {
      seen = config.memory;
      return { ...config, memory: 128, memorySwap: 128, hostname: 'given' };
    });
  });

  expect(seen).toBe(64);
  expect(container('service')).toMatchObject({ memory: 128, memory_swap: 128, hostname: 'given' });
});

test('overrides are applied in the order of the calls', () => {
  const { container } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    overrideContainer(service, (config) => ({ ...config, hostname: 'first' }));
    overrideContainer(service, (config) => ({ ...config, hostname: `${config.hostname}-second` }));
  });

  expect(container('service').hostname).toBe('first-second');
});

test('changes one workload and no other, and not its files container', () => {
  const { container } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    service.addConfigFile({ path: '/etc/app/a', content: '', onChange: 'replace' });
    aService(stack, 'other');
    overrideContainer(service, (config) => ({ ...config, hostname: 'given' }));
  });

  expect(container('service').hostname).toBe('given');
  expect(container('service_files')).not.toHaveProperty('hostname');
  expect(container('other')).not.toHaveProperty('hostname');
});

test('may add labels beside ragdock’s own', () => {
  const { container } = synthesiseWorkloads((stack) => {
    overrideContainer(aService(stack, 'service'), (config) => ({
      ...config,
      labels: [...(Array.isArray(config.labels) ? config.labels : []), { label: 'team', value: 'search' }],
    }));
  });

  expect(labelOf(container('service'), 'team')).toBe('search');
  expect(labelOf(container('service'), 'ragdock.service')).toBe('service');
  expect(labelOf(container('service'), 'ragdock.spec')).toMatch(/^[0-9a-f]{10}$/);
});
