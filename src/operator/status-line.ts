import type { Output } from '../cli/io.js';
import { printable } from './printable.js';

/** Columns that a status may take; longer ones would wrap and could not be taken back. */
const WIDTH = 78;

/** One line at the bottom of a terminal that changes in place. Elsewhere it writes nothing. */
export class StatusLine {
  readonly #output: Output;
  #shown = '';

  constructor(output: Output) {
    this.#output = output;
  }

  show(text: string): void {
    if (!this.#output.isTTY) return;
    const characters = [...printable(text).replaceAll('\n', ' ')];
    const line = characters.length > WIDTH ? `${characters.slice(0, WIDTH - 1).join('')}…` : characters.join('');
    if (line === this.#shown) return;
    this.#output.write(`\r\u001b[2K${line}`);
    this.#shown = line;
  }

  /** Take the line away, so that ordinary text can follow. */
  clear(): void {
    if (this.#shown === '') return;
    this.#output.write('\r\u001b[2K');
    this.#shown = '';
  }
}
