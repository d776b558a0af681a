import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import { printable } from '../operator/printable.js';
import type { Paint } from '../smoke/text.js';
import type { Output } from './io.js';

/** Columns that a row may take; a longer one would wrap, and the list could not be drawn over. */
const WIDTH = 78;

/** Rows of the terminal beside the list: the line that the cursor is on. */
const SPARE_ROWS = 1;

/** What is known of one service. */
interface Row {
  readonly results: Map<string, CheckResult>;
  /** What is waited for. */
  waiting: string | undefined;
}

/** A row for each service of a stack, drawn in place while its checks come in. */
export class LiveList {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #rows: Map<string, Row>;
  #drawn = 0;

  constructor(output: Output, services: Iterable<string>, paint: Paint) {
    this.#output = output;
    this.#paint = paint;
    this.#rows = new Map([...services].map((service) => [service, { results: new Map(), waiting: undefined }]));
  }

  /** Whether an output can show a list of this length: a terminal that is high enough. */
  static fits({ isTTY, rows }: Output, services: number): boolean {
    return isTTY && rows !== undefined && services + SPARE_ROWS < rows;
  }

  /** A result came; a later one about the same check replaces it. Those of unknown services are left to the summary. */
  check(result: CheckResult): void {
    this.#rows.get(result.service)?.results.set(`${result.level} ${result.check}`, result);
    this.draw();
  }

  waiting(waiting: ReadonlyMap<string, string>): void {
    for (const [service, row] of this.#rows) row.waiting = waiting.get(service);
    this.draw();
  }

  draw(): void {
    const lines = [...this.#rows].map(([service, row]) => `\r\u001b[2K${this.#line(service, row)}\n`);
    this.#output.write(`${this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''}${lines.join('')}`);
    this.#drawn = lines.length;
  }

  #line(service: string, { results, waiting }: Row): string {
    const all = [...results.values()];
    const failed = all.filter(({ outcome }) => outcome === 'failed');
    const [first] = failed;
    const seconds = all.reduce((most, result) => Math.max(most, result.seconds), 0);
    const count = `${all.length} ${all.length === 1 ? 'check' : 'checks'}`;
    const shown = (style: Parameters<Paint>[0], word: string, rest: string) => {
      const characters = [...`${service.padEnd(18)}  ${printable(rest).replace(/\s+/g, ' ')}`];
      const room = WIDTH - 9;
      const cut = characters.length > room ? `${characters.slice(0, room - 1).join('')}…` : characters.join('');
      return `${this.#paint(style, word.padEnd(7))}  ${cut}`.trimEnd();
    };
    if (first) return shown('red', 'FAILED', `${failed.length} of ${count}; ${first.check}: ${first.came ?? ''}`);
    if (waiting !== undefined) return shown('yellow', 'waiting', waiting);
    if (all.length === 0) return shown('dim', '…', '');
    const skipped = all.some(({ outcome }) => outcome === 'skipped');
    return shown(skipped ? 'yellow' : 'green', skipped ? 'skipped' : 'ok', `${count}, ${seconds.toFixed(1)} s`);
  }
}
