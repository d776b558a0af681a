import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { collectors } from '../../constructs/services/dcgm/collectors.js';
import { temporaryFolder } from '../support/folder.js';
import { readScrape, sample } from '../support/scrapes.js';
import { StandInProcess } from './process.js';

const PROGRAM = fileURLToPath(new URL('./dcgm/dcgm-exporter', import.meta.url));
const DEFAULT = fileURLToPath(new URL('./dcgm/default-counters.csv', import.meta.url));

/** Start the stand-in with the cards, and with the file of collectors if there is a text of one. */
async function exporter(env: Readonly<Record<string, string>>, csv?: string): Promise<StandInProcess> {
  const file = csv === undefined ? DEFAULT : join(temporaryFolder(), 'collectors.csv');
  if (csv !== undefined) writeFileSync(file, csv);
  return StandInProcess.start(PROGRAM, (port) => ({
    env: { DCGM_EXPORTER_COLLECTORS: file, DCGM_EXPORTER_LISTEN: `127.0.0.1:${port}`, ...env },
  }));
}

async function scrape(env: Readonly<Record<string, string>> = { NVIDIA_VISIBLE_DEVICES: 'all' }, csv?: string) {
  const running = await (await exporter(env, csv)).ready();
  const text = await (await fetch(`${running.url}/metrics`)).text();
  expect((await running.stop()).code).toBe(0);
  return text;
}

const helpsOf = (text: string) =>
  new Map([...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = '', help = '']) => [name, help]));
const isProfiler = (name: string) => name.startsWith('DCGM_FI_PROF_');

describe.each(['dcgm_k8s-ai-conformance_kops_L4.prom', 'dcgm_k8s-ai-conformance_upcloud_L40S.prom'])('%s', (file) => {
  test('has the families, types, labels and helps of the stand-in', async () => {
    const path = sample(file);
    if (!existsSync(path) && !process.env.CI) return console.warn(`${path} is missing: not compared`);
    const recorded = readFileSync(path, 'utf8');
    const text = await scrape();
    const [real, ours] = [readScrape(recorded), readScrape(text)];
    // The profiler is for root with SYS_ADMIN; whether the tests run so decides whether it is here.
    const names = [...real.keys()].filter((name) => !isProfiler(name) || ours.has(name));
    expect([...ours.keys()].sort()).toEqual(names.sort());
    for (const name of names) {
      expect(ours.get(name), name).toEqual(real.get(name));
      expect(helpsOf(text).get(name), name).toBe(helpsOf(recorded).get(name));
    }
  });
});

test('gives the cards that it was given', async () => {
  const cards = async (visible: string) =>
    [
      ...(await scrape({ DCGM_STAND_IN_CARDS: '3', NVIDIA_VISIBLE_DEVICES: visible })).matchAll(
        /^DCGM_FI_DEV_GPU_UTIL\{gpu="(\d)",UUID="(GPU-[0-9a-f-]{36})"/gm,
      ),
    ].map(([, index, uuid]) => [index, uuid]);
  const all = await cards('all');
  expect(all.map(([index]) => index)).toEqual(['0', '1', '2']);
  // Counted anew in a container that sees the last one alone.
  expect(await cards('2')).toEqual([['0', all[2]?.[1]]]);
  expect(await cards(String(all[1]?.[1]))).toEqual([['0', all[1]?.[1]]]);
  expect(await cards('void')).toEqual([]);
});

test('ends for a card that there is not', async () => {
  const running = await exporter({ NVIDIA_VISIBLE_DEVICES: '5' });
  expect(await running.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('no card 5') });
});

test('collects what the construct’s file names, and nothing of the profiler’s', async () => {
  const ours = [
    ...readScrape(await scrape({ NVIDIA_VISIBLE_DEVICES: 'all' }, collectors({ profiling: false }))).keys(),
  ];
  expect(ours).toContain('DCGM_FI_DEV_FB_USED');
  expect(ours.filter(isProfiler)).toEqual([]);
});

test('has a last error once there was one', async () => {
  expect(readScrape(await scrape()).has('DCGM_FI_DEV_XID_ERRORS')).toBe(false);
  expect(await scrape({ NVIDIA_VISIBLE_DEVICES: 'all', DCGM_STAND_IN_XID: '79' })).toMatch(
    /^DCGM_FI_DEV_XID_ERRORS\{.*\} 79$/m,
  );
});

test.each([
  ['one comma too many', 'DCGM_FI_DEV_GPU_UTIL, gauge, busy, in %\n', 'expected 3 fields'],
  ['an unknown type', 'DCGM_FI_DEV_GPU_UTIL, number, busy\n', "metric type 'number'"],
  ['a field that is none', 'GPU_UTIL, gauge, busy\n', 'could not find DCGM field'],
])('ends for a file with %s', async (_what, csv, message) => {
  const running = await exporter({ NVIDIA_VISIBLE_DEVICES: 'all' }, csv);
  expect(await running.ended).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
});

test('reads the cards anew in its interval', async () => {
  const running = await (await exporter({ NVIDIA_VISIBLE_DEVICES: 'all', DCGM_EXPORTER_INTERVAL: '50' })).ready();
  const energy = async () =>
    /^DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION\{.*\} (\d+)$/m.exec(
      await (await fetch(`${running.url}/metrics`)).text(),
    )?.[1];
  const before = Number(await energy());
  await expect.poll(async () => Number(await energy())).toBeGreaterThan(before);
  await running.stop();
});
