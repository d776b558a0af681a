import { notApplicable } from './applicability.js';
import { bm25Difference, isBm25Measurement } from './bm25-measurements.js';
import { difference } from './compare.js';
import { type Answer, call, exchange, keepAlive, type Sent } from './http.js';
import { isKillMeasurement, repeatKills } from './kill-measurements.js';
import { OperationNumbers } from './operation-numbers.js';
import { PHASES, SETUP } from './phases.js';
import type { Recorded } from './recording.js';
import { QdrantProcess, storageFolder } from './server.js';

export type Outcome =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different'; readonly what: string }
  | { readonly kind: 'not applicable'; readonly why: string };

export interface Result {
  readonly exchange: Recorded;
  readonly outcome: Outcome;
}

/** Do everything that the recording shows, in its order, to servers configured as the recorded ones were. */
export async function replay(recording: readonly Recorded[]): Promise<Result[]> {
  const results: Result[] = [];
  const host = new Host();
  try {
    for (const recorded of recording) {
      await host.enter(recorded.name);
      results.push({ exchange: recorded, outcome: await host.perform(recorded) });
    }
  } finally {
    await host.leave();
  }
  return results;
}

class Host {
  readonly #numbers = new OperationNumbers();
  #folder: Awaited<ReturnType<typeof storageFolder>> | undefined;
  #server: QdrantProcess | undefined;
  #env: Readonly<Record<string, string>> = {};

  /** The server for the phase that begins with this exchange, and what must have been done before it. */
  async enter(name: string): Promise<void> {
    const phase = PHASES.find(({ from }) => from === name);
    if (phase !== undefined) {
      this.#env = phase.env ?? {};
      if (phase.storage === 'fresh') {
        await this.leave();
        this.#numbers.forget();
        this.#folder = await storageFolder();
        this.#server = await QdrantProcess.start(this.#folder.path, this.#env);
      } else {
        await this.#restart(phase.storage.keepAfter);
      }
    }
    for (const step of SETUP.get(name) ?? []) {
      const { status, body } = await call(this.#running.port, step.method, step.path, step.body);
      if ((status === 200) === (step.refused === true)) {
        throw new Error(`${step.method} ${step.path} before ${name}: ${status} ${JSON.stringify(body)}`);
      }
    }
  }

  async leave(): Promise<void> {
    await this.#server?.stop('SIGKILL');
    this.#server = undefined;
    await this.#folder?.remove();
    this.#folder = undefined;
  }

  async perform(recorded: Recorded): Promise<Outcome> {
    if (isBm25Measurement(recorded)) {
      this.#numbers.loseCount();
      return outcome(await bm25Difference(this.#running.port, recorded));
    }
    if (isKillMeasurement(recorded)) {
      return outcome(
        await repeatKills(
          recorded,
          () => this.#running.port,
          () => this.#restart('SIGKILL'),
        ),
      );
    }
    const why = notApplicable(recorded);
    if (why !== undefined) {
      if (recorded.method !== 'GET') {
        this.#numbers.loseCount();
      }
      return { kind: 'not applicable', why };
    }
    return outcome(difference(recorded, await this.#send(recorded), this.#numbers));
  }

  get #running(): QdrantProcess {
    if (this.#server === undefined) {
      throw new Error('the recording begins before its first phase');
    }
    return this.#server;
  }

  async #restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#running.stop(signal);
    if (this.#folder !== undefined) {
      this.#server = await QdrantProcess.start(this.#folder.path, this.#env);
    }
  }

  #send(recorded: Recorded): Promise<Answer> {
    const port = recorded.name.startsWith('auth_metrics_port_') ? this.#running.metricsPort : this.#running.port;
    return exchange(port, sent(recorded), keepAlive);
  }
}

function outcome(what: string | undefined): Outcome {
  return what === undefined ? { kind: 'equal' } : { kind: 'different', what };
}

function sent(recorded: Recorded): Sent {
  const method = recorded.method ?? '';
  const path = recorded.path ?? '';
  const { request, requestHeaders: headers } = recorded;
  // Two requests are too long to be in the recording; the refusal names their length.
  const announced = /^JSON payload \((\d+) bytes\)/.exec(errorText(recorded))?.[1];
  if (announced !== undefined) {
    return { method, path, headers, body: { announced: Number(announced) } };
  }
  if (request === null) {
    return { method, path, headers };
  }
  return { method, path, headers, body: typeof request === 'string' ? request : recorded.requestText };
}

function errorText({ response }: Recorded): string {
  const status = typeof response === 'object' && response !== null && 'status' in response ? response.status : null;
  return typeof status === 'object' && status !== null && 'error' in status ? String(status.error) : '';
}
