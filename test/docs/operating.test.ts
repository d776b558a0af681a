import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Resource } from '../support/synth.js';
import { DEV, DEV_LOCK, devWith } from './support/dev.js';
import { fences, readPage, tables } from './support/markdown.js';

const PAGE = readPage('docs/operating.md');

/** Everything about a container that makes it another one when it changes. */
function identityOf({ memory: _memory, memory_swap: _swap, depends_on: _order, ...rest }: Resource): string {
  return JSON.stringify(rest);
}

/** Ids of the containers that another environment file replaces or removes; those that carry files are left out. */
function replacedBy(over: unknown): string[] {
  const after = devWith(over).containers;
  return Object.entries(DEV.containers)
    .filter(([id]) => !id.endsWith('_files'))
    .filter(([id, before]) => !after[id] || identityOf(after[id]) !== identityOf(before))
    .map(([id]) => id)
    .sort();
}

const CHANGES = (tables(PAGE, 'Changing a setting')[0] ?? []).map(
  ([change, replaced]) => [change?.text ?? '', replaced?.code.toSorted()] as const,
);

test('there are changes to look at', () => {
  expect(CHANGES.length).toBeGreaterThan(10);
});

test.each(CHANGES)('%s replaces what the page says', (change, replaced) => {
  const [path = '', value = ''] = change.split(/: (.*)/);
  const services = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), parse(value));

  expect(replacedBy({ services })).toEqual(replaced);
});

test('data is deleted after every container that mounts it', () => {
  const lines = fences(PAGE, 'sh').flatMap((text) => text.split('\n'));
  const removals = lines.flatMap((line) => {
    const [, containers, volumes] = /^docker rm -f (\S.*) && docker volume rm (.+)$/.exec(line) ?? [];
    return containers && volumes ? [{ containers: containers.split(' '), volumes: volumes.split(' ') }] : [];
  });
  const all = Object.values(DEV_LOCK.volumes).sort();
  expect(removals.flatMap(({ volumes }) => volumes).sort()).toEqual(all);
  for (const { containers, volumes } of removals) {
    const mounting = Object.values(DEV.containers).filter(({ mounts }) =>
      mounts?.some(({ source }: Resource) => volumes.includes(source)),
    );
    expect(containers).toEqual(expect.arrayContaining(mounting.map(({ name }) => name)));
  }
  const whole = lines.find((line) => line.startsWith('docker volume rm '));
  expect(whole?.split(' ').slice(3).sort()).toEqual(all);
});
