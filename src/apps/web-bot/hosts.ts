import type { IncomingHttpHeaders } from 'node:http';

/** Names and addresses that lead each machine to itself, as browsers write them. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The names under which we are asked. A page from elsewhere can have its own name resolve to our address, and would then
 * talk to us as if it were ours, `Origin` included; its requests carry that name.
 */
export class Hosts {
  readonly #names: ReadonlySet<string> | undefined;

  /** @param names names without port, beside those of loopback; undefined: we are asked under any name */
  constructor(names: readonly string[] | undefined) {
    this.#names = names && new Set(names.map((name) => name.toLowerCase()));
  }

  /** Whether a request was meant for us by its `Host`; the port may be any, as it may have been forwarded. */
  includes({ host = '' }: IncomingHttpHeaders): boolean {
    if (!this.#names) return true;
    const name = host.replace(/:\d*$/, '').toLowerCase();
    return LOOPBACK.test(name) || this.#names.has(name);
  }
}
