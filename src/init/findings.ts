import { printable } from '../operator/printable.js';
import { showMemory } from './choices.js';
import type { NewEnvironment } from './new-environment.js';
import { isLocal } from './survey.js';

/** What was found, in words, and whether it deserves attention. */
export type Finding = readonly [what: string, text: string, warn: boolean];

/** What a new environment was made by, for whoever made it. */
export function findings(made: NewEnvironment): readonly Finding[] {
  return [...engine(made), ...memory(made), gpus(made), ...network(made), chat(made)].map(([what, text, warn]) => [
    what,
    printable(text),
    warn,
  ]);
}

function engine({ survey: { engine, found } }: NewEnvironment): readonly Finding[] {
  const doubts = engine.doubt === undefined ? [] : ([['engine', engine.doubt, true]] as const);
  const origin = engine.origin === undefined ? '' : ` (from ${engine.origin})`;
  const at = `${engine.address}${origin}`;
  if (!('unreachable' in found)) return [...doubts, ['engine', `Docker ${found.version} at ${at}`, false]];
  const text = `none answers at ${at}: ${found.unreachable}; defaults are used`;
  return [...doubts, ['engine', text, true]];
}

function memory({ survey: { found, neighbours }, choices: { memory: plan } }: NewEnvironment): readonly Finding[] {
  if ('unreachable' in found || !plan) return [];
  const { total, budget, limits, monitored } = plan;
  const others = neighbours.length === 0 ? '' : ` and ${neighbours.map(({ name }) => name).join(', ')}`;
  const room = `${showMemory(found.memoryMiB)}, of which the services take ${showMemory(total)} at most`;
  if (total > budget) {
    const text = `${room}; that leaves too little for the system${others}, so expect services to be killed when all are busy`;
    return [['memory', text, true]];
  }
  const lowered = limits.size > 0 ? `; lower limits than the defaults leave room for the system${others}` : '';
  return [['memory', `${room}${lowered}${monitored ? '' : ', and there is no Prometheus'}`, !monitored]];
}

function gpus({ survey: { gpus: cards, found } }: NewEnvironment): Finding {
  const unused = 'engine: vllm runs models on cards';
  if (cards.length > 0) return ['GPU', `${cards.join(', ')}: not used here; ${unused}`, true];
  if ('unreachable' in found || !found.nvidiaRuntime) return ['GPU', 'none found', false];
  return ['GPU', `the engine has the runtime nvidia, but no card was seen; ${unused}`, true];
}

function network({ choices: { pool } }: NewEnvironment): readonly Finding[] {
  if (!pool.instead) return [];
  return [['network', `${pool.value}, since ${pool.instead.what} belongs to ${pool.instead.by}`, false]];
}

function chat({ survey: { engine }, choices: { port } }: NewEnvironment): Finding {
  const where = isLocal(engine.address) ? '' : ' of that machine';
  const why = port.instead ? `, since ${port.instead.what} belongs to ${port.instead.by}` : '';
  return ['chat', `http://127.0.0.1:${port.value}${where}${why}`, false];
}
