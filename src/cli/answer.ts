import type { AnswerSource, AskEvent } from '../operator/events.js';
import { printable } from '../operator/printable.js';
import { originOf } from '../rag/origin.js';
import { type Io, paint } from './io.js';

/** Shows an answer as it comes: its text on stdout, what is said about it on stderr. */
export class AnswerPrinter {
  readonly #io: Io;
  #atLineStart = true;

  constructor(io: Io) {
    this.#io = io;
  }

  print(event: AskEvent): void {
    const { stdout, stderr } = this.#io;
    if (event.event === 'chunk') {
      stdout.write(printable(event.text));
      this.#atLineStart = event.text.endsWith('\n');
      return;
    }
    this.end();
    if (event.event === 'accepted' && event.degraded.length > 0) {
      stderr.write(paint(stderr, 'yellow', `answered without: ${event.degraded.join(', ')}\n`));
    }
    if (event.event === 'done') stderr.write(printable(formatSources(event.sources)));
  }

  /** Ends a line that the answer left open. */
  end(): void {
    if (!this.#atLineStart) this.#io.stdout.write('\n');
    this.#atLineStart = true;
  }
}

function formatSources(sources: readonly AnswerSource[]): string {
  if (sources.length === 0) return '\nNo sources.\n';
  const lines = sources.map(({ source, collection, score, ...place }, index) => {
    return `  ${index + 1}. ${source} (${collection}, ${score.toFixed(2)})  ${originOf(place)}\n`;
  });
  return `\nSources:\n${lines.join('')}`;
}
