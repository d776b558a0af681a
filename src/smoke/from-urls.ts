import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, SecretRef } from '../../constructs/model/index.js';
import { UNSEEN } from '../apps/operator/leftovers.js';
import type { SmokeLevel } from '../apps/operator/smoke/level.js';
import { SmokeEvent, type SmokePlan, type Target } from '../apps/operator/smoke/protocol.js';
import { operatorSmoke } from '../apps/operator/smoke.js';
import { type Problem, RagdockError, throwProblems } from '../errors/problem.js';
import { CommandQueue } from '../operator/command-queue.js';
import { parseEvent } from '../operator/events.js';
import { newRun } from '../operator/session.js';
import type { DescribedStack } from '../operator/stack.js';
import { FilesStore } from '../secrets/files-store.js';
import { type NotAsked, Results, type SmokeReport } from './report.js';
import type { SmokeOptions } from './run.js';
import { NO_OWN_COLLECTION, needsOf, ownCollection, pathOf, type TargetSource, targetsOf } from './targets.js';

export interface UrlRequest extends Pick<SmokeOptions, 'timeoutSeconds' | 'signal' | 'onCheck' | 'onWaiting'> {
  /** Address of each service that is asked, by its id: `rag-api`, `web-bot`. At least one. */
  readonly urls: ReadonlyMap<string, string>;
  /** File with the key of a service, by its id. @default - the secrets of the environment on this machine */
  readonly keyFiles: ReadonlyMap<string, string>;
  /** Asked in the place of one about a scratch document, which takes Qdrant to bring in. @default - none */
  readonly question: string | undefined;
  /** @default - as far as the named services let it */
  readonly level: SmokeLevel | undefined;
  /** Folder of the project. */
  readonly project: string;
}

/**
 * Ask services at these addresses, from this machine and without an engine: what users of a published stack meet.
 * Containers, logs and what else was not named are not looked at.
 *
 * @throws RagdockError USAGE for services that the environment does not have, and for a level that takes others
 */
export async function smokeUrls(stack: DescribedStack, request: UrlRequest): Promise<SmokeReport> {
  const { urls, question, timeoutSeconds } = request;
  const sources = targetsOf(stack).filter(({ service }) => urls.has(service.node.id));
  const keys = new KeyFiles(stack.environment.name, request);
  try {
    const level = levelOf(stack, request);
    const targets = sources.map((source) => target(source, urls, keys));
    const plan: SmokePlan = {
      run: `${newRun()}${UNSEEN}`,
      timeoutSeconds,
      level,
      targets,
      failed: [],
      path: { ...pathOf(stack), needs: targets.map(({ id }) => id), ...(question === undefined ? {} : { question }) },
    };
    const notAsked = request.level === undefined && level !== 'path' ? [{ what: 'path', why: whyNoPath(stack) }] : [];
    return await ask(plan, stack, request, notAsked);
  } finally {
    keys.close();
  }
}

/** A target at its address of here; metrics are of the inside, unless an address is given for them, too. */
function target({ service, target }: TargetSource, urls: ReadonlyMap<string, string>, keys: KeyFiles): Target {
  const { id } = service.node;
  const made = target({
    url: ({ name }: Endpoint) => urls.get(name === 'metrics' && urls.has(`${id}.metrics`) ? `${id}.metrics` : id) ?? '',
    credentialFile: (secret) => keys.pathOf(id, secret),
  });
  if (made.kind !== 'rag-api' || urls.has('rag-api.metrics')) return made;
  const { metricsUrl: _, ...rest } = made;
  return rest;
}

function levelOf(stack: DescribedStack, { urls, question, level }: UrlRequest): SmokeLevel {
  const problems: Problem[] = [];
  const known = targetsOf(stack).map(({ service }) => service.node.id);
  for (const name of urls.keys()) {
    if (known.includes(name) || name === 'rag-api.metrics') continue;
    problems.push({
      code: 'USAGE',
      path: '--url',
      message: `${stack.environment.name} has no service '${name}' that speaks a protocol of ours`,
      remedy: `Name one of ${known.join(', ')}.`,
    });
  }
  const { postgres, qdrant, api, embeddings } = stack.services;
  const has = (service: { readonly node: { readonly id: string } }) => urls.has(service.node.id);
  if (has(postgres)) {
    const { id } = postgres.node;
    const message = `${id} is asked as the API logs in to it, from inside of the stack`;
    problems.push({ code: 'USAGE', path: '--url', message, remedy: 'Leave it out, or run without `--url`.' });
  }
  const takesDocument = has(qdrant) && ownCollection(stack) !== undefined && (!embeddings || has(embeddings));
  const walks = has(api) && (takesDocument || question !== undefined);
  if (level === 'path' && !walks) {
    problems.push({
      code: 'USAGE',
      path: '--level',
      message: whyNoPath(stack),
      remedy:
        ownCollection(stack) === undefined
          ? 'Give `--url rag-api=URL` with `--question TEXT`.'
          : 'Give `--url rag-api=URL` with `--question TEXT`, or with the URLs of Qdrant and, if there are, embeddings.',
    });
  }
  throwProblems(problems);
  return level ?? (walks ? 'path' : 'service');
}

/** What the path takes that was not given. */
function whyNoPath(stack: DescribedStack): string {
  return ownCollection(stack) === undefined
    ? `the path takes the RAG API and a question about what is there: ${NO_OWN_COLLECTION}`
    : 'the path takes the RAG API, and a question about what is there or what it takes to bring in a document';
}

async function ask(
  plan: SmokePlan,
  { environment, topology }: DescribedStack,
  { signal, onCheck, onWaiting }: UrlRequest,
  notAsked: readonly NotAsked[],
): Promise<SmokeReport> {
  const began = performance.now();
  const startedAt = new Date().toISOString();
  const results = new Results();
  const waiting = new Map<string, string>();
  const queue = new CommandQueue();
  queue.push(plan);
  const hear = (line: string): void => {
    const event = parseEvent(SmokeEvent, line);
    if (event.event === 'done') queue.end();
    else if (event.event === 'waiting') waiting.set(event.service, event.for);
    else if (event.event === 'check') {
      results.add(event.result);
      waiting.delete(event.result.service);
      onCheck(event.result);
    }
    onWaiting(waiting);
  };
  await operatorSmoke(bytesOf(queue), (text) => text.trim().split('\n').forEach(hear), signal);
  signal.throwIfAborted();
  return results.report(
    {
      environment: environment.name,
      level: plan.level,
      startedAt,
      seconds: Math.round(performance.now() - began) / 1000,
      notAsked: [...notAsked],
    },
    new Map(topology.workloads.map((workload) => [workload.node.id, needsOf(workload)])),
  );
}

async function* bytesOf(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(line);
}

/** Where keys are read from, in the form in which a session has them: a path to which `.vN` is added. */
class KeyFiles {
  readonly #store: FilesStore;
  readonly #given: ReadonlyMap<string, string>;
  #folder: string | undefined;

  constructor(environment: string, { project, keyFiles }: Pick<UrlRequest, 'project' | 'keyFiles'>) {
    this.#store = new FilesStore(project, environment);
    this.#given = keyFiles;
  }

  pathOf(service: string, secret: SecretRef): string {
    const file = this.#given.get(service);
    if (file === undefined) {
      if (this.#store.list().some(({ name }) => name === secret.name)) return join(this.#store.folder, secret.name);
      throw new RagdockError({
        code: 'USAGE',
        path: '--url',
        message: `the key of ${service} is not on this machine`,
        remedy: `Give \`--key-file ${service}=FILE\`, or \`ragdock secrets set ENV ${secret.name}\`.`,
      });
    }
    // A link, so that no copy of a secret is made.
    this.#folder ??= mkdtempSync(join(tmpdir(), 'ragdock-smoke-'));
    symlinkSync(file, join(this.#folder, `${service}.v1`));
    return join(this.#folder, service);
  }

  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
  }
}
