import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localGpus } from '../../src/init/local-gpus.js';
import { put } from '../config/project.js';
import { temporaryFolder } from '../support/folder.js';

const { signal } = new AbortController();
const NOWHERE = '/nowhere';

/** Variables with which a program of the test is found as nvidia-smi. */
function nvidiaSmi(script: string): { PATH: string } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'nvidia-smi'), `#!${process.execPath}\n${script}\n`);
  chmodSync(join(folder, 'nvidia-smi'), 0o755);
  return { PATH: folder };
}

test('the driver’s own list is taken where there is one', async () => {
  const driverFolder = temporaryFolder();
  put(driverFolder, '0000:65:00.0/information', 'Model: \t\t NVIDIA RTX A4000\nIRQ: 62\n');
  put(driverFolder, '0000:b3:00.0/information', 'IRQ: 63\n');
  const env = nvidiaSmi('process.exit(1)');
  expect(await localGpus({ env, signal, driverFolder })).toEqual(['NVIDIA RTX A4000', 'a GPU of NVIDIA']);
});

test('otherwise nvidia-smi is asked', async () => {
  const env = nvidiaSmi(`process.argv.includes('--query-gpu=name') && console.log('Tesla T4\\nTesla T4')`);
  expect(await localGpus({ env, signal, driverFolder: NOWHERE })).toEqual(['Tesla T4', 'Tesla T4']);
});

test('no program, and one without a driver, mean that there is none', async () => {
  expect(await localGpus({ env: { PATH: temporaryFolder() }, signal, driverFolder: NOWHERE })).toEqual([]);
  const env = nvidiaSmi(`console.log('NVIDIA-SMI has failed'); process.exit(9)`);
  expect(await localGpus({ env, signal, driverFolder: NOWHERE })).toEqual([]);
});
