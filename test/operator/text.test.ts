import { describe, expect, test } from 'vitest';
import type { Output } from '../../src/cli/io.js';
import { AskEvent, IngestEvent, parseEvent } from '../../src/operator/events.js';
import { printable } from '../../src/operator/printable.js';
import { StatusLine } from '../../src/operator/status-line.js';

test('text of others cannot steer the terminal', () => {
  expect(printable('Ответ:\n\tда\u001b[2J\u0007\u009b31m\r')).toBe('Ответ:\n\tда[2J31m');
});

describe('the status line', () => {
  function terminal(isTTY: boolean): { readonly output: Output; readonly written: string[] } {
    const written: string[] = [];
    return { written, output: { write: (text) => void written.push(text), isTTY, colour: isTTY } };
  }

  test('changes in place, and goes', () => {
    const { output, written } = terminal(true);
    const status = new StatusLine(output);
    status.show('1 of 2');
    status.show('1 of 2');
    status.show('2 of 2');
    status.clear();
    status.clear();
    expect(written).toEqual(['\r\u001b[2K1 of 2', '\r\u001b[2K2 of 2', '\r\u001b[2K']);
  });

  test('is one line, whatever it is given', () => {
    const { output, written } = terminal(true);
    new StatusLine(output).show(`a\nb\u001b[H${'я'.repeat(200)}`);
    expect(written[0]).not.toContain('\n');
    expect([...(written[0] ?? '').replace('\r\u001b[2K', '')]).toHaveLength(78);
  });

  test('is not there where nobody looks', () => {
    const { output, written } = terminal(false);
    const status = new StatusLine(output);
    status.show('1 of 2');
    status.clear();
    expect(written).toEqual([]);
  });
});

describe('events of a session', () => {
  test('are read', () => {
    const line = '{"event":"document","path":"a.md","chunks":2,"status":"new"}';
    expect(parseEvent(IngestEvent, line)).toMatchObject({ path: 'a.md', chunks: 2 });
    expect(parseEvent(AskEvent, '{"event":"chunk","text":"да"}')).toEqual({ event: 'chunk', text: 'да' });
  });

  test.each(['no JSON', '{"event":"unheard-of"}', '{"event":"document","path":"a.md"}'])(
    'what is none of them is of another version: %s',
    (line) => {
      expect(() => parseEvent(IngestEvent, line)).toThrow('SESSION_FAILED');
    },
  );
});
