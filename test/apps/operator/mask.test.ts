import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { MaskEvent, operatorMask } from '../../../src/apps/operator/mask.js';
import { temporaryFolder } from '../../support/folder.js';
import { until } from '../../support/until.js';

test('lines come back without any value of the folder, old versions and later ones too', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'qdrant'));
  const store = (name: string, value: string) => writeFileSync(join(folder, 'qdrant', name), value);
  store('qdrant-api-key.v1', 'the-first-value\n');
  store('qdrant-api-key.v2', 'the-second-value');
  store('empty.v1', '');
  store('notes.txt', 'no secret at all');
  const input = new PassThrough();
  const events: MaskEvent[] = [];
  const ended = operatorMask([folder], input, (text) => {
    events.push(MaskEvent.parse(JSON.parse(text)));
  });
  const ask = async (id: number, ...lines: string[]) => {
    input.write(`${JSON.stringify({ id, lines })}\n`);
    await until('an answer', () => events.some((event) => event.event === 'masked' && event.id === id));
    return events.at(-1);
  };
  await until('it is ready', () => events.length > 0);

  expect(events).toEqual([{ event: 'ready', secrets: ['qdrant-api-key'] }]);
  expect(await ask(7, 'a the-first-value b', 'the-second-value', 'no secret at all')).toEqual({
    event: 'masked',
    id: 7,
    lines: ['a *** b', '***', 'no secret at all'],
  });
  store('rag-api-key.v1', 'made-"while"-it-runs');
  expect(await ask(8, 'made-"while"-it-runs', JSON.stringify({ value: 'made-"while"-it-runs' }))).toMatchObject({
    lines: ['***', '{"value":"***"}'],
  });
  input.end();
  await ended;
  expect(JSON.stringify(events)).not.toContain('value-');
});

test('a folder that is not there is a fault: nothing could be masked', async () => {
  await expect(operatorMask([join(temporaryFolder(), 'none')], new PassThrough(), () => undefined)).rejects.toThrow(
    /ENOENT/,
  );
});
