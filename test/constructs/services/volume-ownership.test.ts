import { expect, test } from 'vitest';
import type { DataVolume } from '../../../constructs/model/index.js';
import { giveVolumesToTheirOwners } from '../../../constructs/services/index.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService } from '../../support/workloads.js';

const synth = (volumes: readonly DataVolume[]) =>
  synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    for (const volume of volumes) service.addDataVolume(volume);
    giveVolumesToTheirOwners(stack);
  });
const owner = { uid: 999, gid: 998 };

test('gives all volumes of a service to its user before it starts, with no right but that one', () => {
  const { container } = synth([
    { id: 'service-data', path: '/data', owner },
    { id: 'service-snapshots', path: '/snapshots', owner },
  ]);

  expect(container('service-ownership')).toMatchObject({
    command: ['job-ownership', '999:998', '/data', '/snapshots'],
    user: '0:0',
    capabilities: { drop: ['ALL'], add: ['CAP_CHOWN'] },
    read_only: true,
    network_mode: 'none',
    security_opts: ['no-new-privileges:true'],
  });
  expect(container('service-ownership').mounts).toEqual(
    expect.arrayContaining([
      { type: 'volume', source: 'test-service-data', target: '/data', read_only: false },
      { type: 'volume', source: 'test-service-snapshots', target: '/snapshots', read_only: false },
    ]),
  );
  expect(container('service').depends_on).toContain('docker_container.service-ownership');
});

test.each<[string, DataVolume]>([
  ['that has no owner', { id: 'data', path: '/data' }],
  ['that is only read', { id: 'data', path: '/data', owner, readOnly: true }],
])('leaves a volume alone %s', (_why, volume) => {
  expect(Object.keys(synth([volume]).containers)).toEqual(['service']);
});

test('gives only the volumes that have an owner', () => {
  const { container } = synth([
    { id: 'shared', path: '/shared' },
    { id: 'data', path: '/data', owner },
  ]);

  expect(container('service-ownership').command).toEqual(['job-ownership', '999:998', '/data']);
});
