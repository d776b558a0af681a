import type { Deployment } from '../../deploy/support/deployment.js';
import { askModel } from '../support/ask.js';
import { inPlaceOf } from '../support/changes.js';
import type { Fault } from '../support/fault.js';
import { type Manner, standBetween } from '../support/impostor.js';
import { dev, prod } from '../support/stacks.js';

/** What a short chat with the model server comes to, for a client that has the key. */
async function chat(
  deployment: Deployment,
  headers: Readonly<Record<string, string>> = {},
): Promise<Manner | 'whole' | 'refused'> {
  const { model } = deployment.description.llm;
  const messages = [{ role: 'user', content: 'Привет' }];
  const body = { model, messages, stream: true, max_tokens: 2 };
  const { status, text } = await askModel(deployment, '/v1/chat/completions', { method: 'POST', body, headers });
  if (status !== 200) return 'refused';
  if (text.includes('"error"')) return 'error';
  if (/"finish_reason": ?"/.test(text)) return 'whole';
  if (text.includes('"content"')) return 'unfinished';
  return text.includes('[DONE]') ? 'empty' : 'silent';
}

/** A server between the model server and its clients changes the answers; the model server itself is healthy. */
const between = (name: string, manner: Exclude<Manner, 'open'>, deployment = dev, timeoutSeconds = 180): Fault => ({
  name,
  deployment,
  breaks: () => standBetween(deployment, manner),
  isBroken: async () => (await chat(deployment)) === manner,
  expects: { service: 'llm-main', check: 'streams an answer' },
  timeoutSeconds,
});

export const LLM_FAULTS: readonly Fault[] = [
  between('the model answers 200 and an empty stream', 'empty'),
  between('the model answers with an error, and then [DONE]', 'error'),
  between('the model answers 200 and falls silent', 'silent', dev, 60),
  between('the model’s answer has no finish_reason', 'unfinished'),
  {
    name: 'the model opens to a wrong key',
    deployment: dev,
    breaks: () => standBetween(dev, 'open'),
    isBroken: async () => (await chat(dev, { authorization: 'Bearer a-wrong-key' })) === 'whole',
    expects: { service: 'llm-main', check: 'refuses a wrong key' },
  },
  {
    name: 'the model server has another model',
    deployment: dev,
    breaks: () =>
      inPlaceOf(dev, 'llm-main', ({ Config }) => ({
        Cmd: (Config.Cmd ?? []).map((part) => (part === dev.description.llm.model ? 'another-model' : part)),
      })),
    isBroken: async () => (await askModel(dev, '/v1/models')).text.includes('another-model'),
    expects: { service: 'llm-main', check: 'ready' },
  },
];

export const WHOLE_LLM_FAULTS: readonly Fault[] = [
  between('vLLM answers with an error, and then [DONE]', 'error', prod),
];
