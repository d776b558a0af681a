import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import { printable } from '../operator/printable.js';
import { StatusLine } from '../operator/status-line.js';
import { formatCheck, type Paint } from '../smoke/text.js';
import { type Output, paint } from './io.js';
import { LiveList } from './live-list.js';

/**
 * The checks of a run while they come: on a terminal a list of services that is drawn in place, or, where it has not
 * the room, a line for each check above one that says what is waited for; elsewhere plain lines.
 */
export class SmokeScreen {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #status: StatusLine;
  readonly #list: LiveList | undefined;
  readonly #hasStatus: boolean;
  readonly #toldWaits = new Map<string, string>();

  /** @param services ids of all that is asked */
  constructor(output: Output, stderr: Output, services: readonly string[]) {
    this.#output = output;
    this.#paint = (style, text) => paint(output, style, text);
    this.#status = new StatusLine(stderr);
    this.#list = LiveList.fits(output, services.length) ? new LiveList(output, services, this.#paint) : undefined;
    this.#hasStatus = stderr.isTTY;
  }

  check(result: CheckResult): void {
    if (this.#list) {
      this.#list.check(result);
      return;
    }
    this.#status.clear();
    this.#output.write(`${formatCheck(result, this.#paint)}\n`);
  }

  waiting(waiting: ReadonlyMap<string, string>): void {
    if (this.#list) {
      this.#list.waiting(waiting);
      return;
    }
    if (this.#hasStatus) {
      const services = [...waiting].map(([service, came]) => `${service} (${came})`);
      if (services.length === 0) this.#status.clear();
      else this.#status.show(`waiting for ${services.join(', ')}`);
      return;
    }
    for (const [service, came] of waiting) {
      if (this.#toldWaits.get(service) === came) continue;
      this.#toldWaits.set(service, came);
      this.#output.write(`waiting  ${service.padEnd(18)}  ${printable(came).replaceAll('\n', ' ')}\n`);
    }
  }

  /** Take away what is only of the moment. */
  end(): void {
    this.#status.clear();
  }
}
