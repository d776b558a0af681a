import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/apps/operator/smoke/protocol.js';
import { LiveList } from '../../src/cli/live-list.js';

const plain = (_style: string, text: string) => text;

/** In the place of the character itself. */
const ESC = '␛';

/** What a terminal shows of what was written to it: lines, cursor up, and erased lines. */
class Screen {
  readonly isTTY = true;
  readonly colour = false;
  readonly rows = 24;
  readonly lines: string[] = [''];
  #row = 0;

  write(text: string): void {
    for (const [piece] of text.replaceAll('\u001b', ESC).matchAll(/␛\[\d+A|␛\[2K|\r|\n|[^␛\r\n]+/g)) {
      const [, up] = /^␛\[(\d+)A$/.exec(piece) ?? [];
      if (up !== undefined) this.#row -= Number(up);
      else if (piece === '␛[2K') this.lines[this.#row] = '';
      else if (piece === '\n') {
        this.#row += 1;
        this.lines[this.#row] ??= '';
      } else if (piece !== '\r') this.lines[this.#row] += piece;
    }
  }
}

const result = (service: string, changes: Partial<CheckResult> = {}): CheckResult => ({
  service,
  check: 'ready',
  level: 'up',
  outcome: 'passed',
  seconds: 1.24,
  ...changes,
});

describe('on a terminal', () => {
  test('every service has a row of its own, which changes in place', () => {
    const screen = new Screen();
    const list = new LiveList(screen, ['qdrant', 'llm-main', 'rag-api'], plain);
    list.waiting(new Map([['llm-main', '503 loading\nmodel']]));
    list.check(result('qdrant'));
    list.check(result('qdrant', { check: 'collections', level: 'service', seconds: 0.5 }));
    expect(screen.lines).toEqual([
      'ok       qdrant              2 checks, 1.2 s',
      'waiting  llm-main            503 loading model',
      '…        rag-api',
      '',
    ]);

    list.waiting(new Map());
    list.check(result('llm-main'));
    list.check(result('rag-api', { outcome: 'failed', came: 'x'.repeat(200) }));
    list.check(result('rag-api', { check: 'takes its key', level: 'service', outcome: 'skipped' }));
    expect(screen.lines).toEqual([
      'ok       qdrant              2 checks, 1.2 s',
      'ok       llm-main            1 check, 1.2 s',
      expect.stringMatching(/^FAILED {3}rag-api {13}1 of 2 checks; ready: x+…$/),
      '',
    ]);
    expect(Math.max(...screen.lines.map(({ length }) => length))).toBeLessThanOrEqual(78);
  });

  test('a later word on a check replaces the earlier one', () => {
    const screen = new Screen();
    const list = new LiveList(screen, ['qdrant'], plain);
    list.check(result('qdrant', { check: 'container' }));
    list.check(result('qdrant', { check: 'container', outcome: 'failed', came: 'exited' }));
    expect(screen.lines[0]).toBe('FAILED   qdrant              1 of 1 check; container: exited');
  });

  test('one that is too low for the list, or of unknown height, is given none', () => {
    const of = (rows: number | undefined, isTTY = true) =>
      LiveList.fits({ write: () => undefined, isTTY, colour: false, rows }, 10);
    expect([of(12), of(11), of(undefined), of(40, false)]).toEqual([true, false, false, false]);
  });
});
