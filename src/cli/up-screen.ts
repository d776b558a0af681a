import { relative, sep } from 'node:path';
import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import type { DataFolder } from '../embedded/data-folder.js';
import type { ModelServer } from '../embedded/model-server.js';
import type { AskEvent } from '../operator/events.js';
import { printable } from '../operator/printable.js';
import type { SmokeReport } from '../smoke/report.js';
import { formatCheck, formatSummary } from '../smoke/text.js';
import { AnswerPrinter } from './answer.js';
import { type Io, paint } from './io.js';

/** Columns of a label, so that what follows stands in one column. */
const LABEL = 10;

/** What became of the documents of a course. */
export interface Brought {
  readonly documents: number;
  readonly passages: number;
}

/** What `ragdock up` tells, on a terminal and elsewhere. */
export class UpScreen {
  readonly #io: Io;
  readonly #began: number;
  readonly #answer: AnswerPrinter;

  /** @param began when the process was asked to start, as `performance.now()` has it */
  constructor(io: Io, began: number) {
    this.#io = io;
    this.#began = began;
    // All of it is for people; the sources belong below the answer also where the two outputs are not one.
    this.#answer = new AnswerPrinter({ ...io, stderr: io.stdout });
  }

  begin({ path, isNew }: DataFolder, modelServer: ModelServer | undefined): void {
    this.#write('The whole stack in this process, to try it and to develop. It is no deployment.\n\n');
    const below = relative(this.#io.cwd, path) || '.';
    const shown = below === '..' || below.startsWith(`..${sep}`) ? path : below;
    this.#line('data', isNew ? `${shown} (new)` : shown);
    this.#line(
      'model',
      modelServer
        ? printable(`${modelServer.model} at ${modelServer.url}, ${modelServer.contextTokens} tokens of context`)
        : 'none: answers quote the material (--llm-url connects one)',
    );
  }

  course(name: string, { documents, passages }: Brought): void {
    this.#line('course', `${name}: ${documents} documents, ${passages} passages`);
  }

  history(exchanges: number): void {
    this.#line('history', exchanges === 1 ? '1 exchange' : `${exchanges} exchanges`);
    this.#write('\n');
  }

  check(result: CheckResult): void {
    this.#write(`${formatCheck(result, this.#paint)}\n`);
  }

  report(report: SmokeReport): void {
    this.#write(`\n${formatSummary(report, this.#paint)}`);
  }

  question(text: string): void {
    this.#write(`\n${this.#paint('bold', `› ${text}`)}\n`);
  }

  answer(event: AskEvent): void {
    this.#answer.print(event);
  }

  ready(url: string, course: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1);
    const body = JSON.stringify({ message: '…', user_name: 'me', course });
    this.#write('\n');
    this.#line('chat', this.#paint('bold', url));
    this.#line('api', `curl -N ${url}/process_message -H 'content-type: application/json' -d '${body}'`);
    this.#write(`\nReady after ${seconds} s. Ctrl-C ends it; nothing is lost.\n`);
  }

  stopping(): void {
    this.#write('\nStopping.\n');
  }

  notice(text: string): void {
    const { stderr } = this.#io;
    stderr.write(`${paint(stderr, 'yellow', 'notice')}    ${printable(text).replaceAll('\n', ' ')}\n`);
  }

  readonly #paint = (style: Parameters<typeof paint>[1], text: string): string => paint(this.#io.stdout, style, text);

  #line(label: string, text: string): void {
    this.#write(`${this.#paint('dim', label.padEnd(LABEL))}${text}\n`);
  }

  #write(text: string): void {
    this.#io.stdout.write(text);
  }
}
