import { beforeEach, describe, expect, test } from 'vitest';
import { REFUSAL } from '../../src/rag/exchange.js';
import { RagFailure } from '../../src/rag/failure.js';
import {
  type Answer,
  Pipeline,
  type PipelineObserver,
  type PipelineSettings,
  type Summary,
} from '../../src/rag/pipeline.js';
import type { ChatMessage, Llm, LlmEvent, Prompt, Tokenizer } from '../../src/rag/ports.js';
import { MemoryHistory, MemoryRetrieval, passage } from '../support/rag-parts.js';
import { until } from '../support/until.js';

const QUESTION = { requestId: 'r-1', message: '  Что такое\u200b RAG? ', userName: 'Иван', course: 'demo' };
const SETTINGS: PipelineSettings = {
  systemPrompt: 'Ты - ассистент.',
  contextTokens: 4096,
  answerTokens: 512,
  noContext: 'refuse',
  totalMs: 5000,
};
const END: LlmEvent = { type: 'end', finishReason: 'stop', usage: { promptTokens: 10, completionTokens: 2 } };

/** A model that says what a test tells it, once for each call. */
class TellingLlm implements Llm {
  readonly model = 'saiga';
  tokenizer: Tokenizer | undefined;
  readonly prompts: (readonly ChatMessage[])[] = [];
  readonly signals: AbortSignal[] = [];
  tell: (call: number, signal: AbortSignal) => AsyncIterable<LlmEvent> = () => say('Да');

  chat({ messages }: Prompt, signal: AbortSignal): AsyncIterable<LlmEvent> {
    this.prompts.push(messages);
    this.signals.push(signal);
    return this.tell(this.prompts.length, signal);
  }

  async check(): Promise<void> {}
  async close(): Promise<void> {}
}

async function* say(...texts: string[]): AsyncGenerator<LlmEvent> {
  for (const text of texts) yield { type: 'text', text };
  yield END;
}

async function* fail(error: Error, ...texts: string[]): AsyncGenerator<LlmEvent> {
  for (const text of texts) yield { type: 'text', text };
  throw error;
}

/** Says these texts and then nothing until the signal aborts. */
async function* stall(signal: AbortSignal, ...texts: string[]): AsyncGenerator<LlmEvent> {
  for (const text of texts) yield { type: 'text', text };
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

let retrieval: MemoryRetrieval;
let history: MemoryHistory;
let llm: TellingLlm;
let controller: AbortController;
let summaries: Summary[];
let events: string[];
let saved: number[];

beforeEach(() => {
  retrieval = new MemoryRetrieval(passage());
  history = new MemoryHistory();
  llm = new TellingLlm();
  controller = new AbortController();
  summaries = [];
  events = [];
  saved = [];
});

function build(settings: Partial<PipelineSettings> = {}): Pipeline {
  const observer: PipelineObserver = {
    retrieved: () => events.push('retrieved'),
    degraded: (_question, component) => events.push(`degraded ${component}`),
    began: () => events.push('began'),
    ended: (summary) => summaries.push(summary),
    waits: () => events.push('waits'),
    lost: () => events.push('lost'),
    saved: (_id, ms) => saved.push(ms),
    savedLate: () => events.push('saved late'),
  };
  return new Pipeline({ retrieval, history, llm, settings: { ...SETTINGS, ...settings }, observer });
}

const ask = (settings: Partial<PipelineSettings> = {}) => build(settings).ask(QUESTION, controller.signal);

async function read(answer: Answer): Promise<string> {
  let text = '';
  for await (const chunk of answer.text) text += chunk;
  return text;
}

describe('an answer', () => {
  test('streams what the model says and is saved when it ends', async () => {
    llm.tell = () => say('Векторная', ' ', 'база');
    const answer = await ask();
    expect(answer).toMatchObject({ degraded: [], refused: false, exchangeId: history.only.id });
    expect(answer.sources).toEqual([
      expect.objectContaining({ number: 1, source: 'lecture.md', collection: 'BD_curs_data', score: 1 }),
    ]);
    expect(history.only).toMatchObject({ status: 'running', question: 'Что такое RAG?', answer: '' });
    expect(await read(answer)).toBe('Векторная база');
    expect(history.only).toMatchObject({
      status: 'complete',
      userName: 'Иван',
      course: 'demo',
      requestId: 'r-1',
      model: 'saiga',
      answer: 'Векторная база',
      sources: answer.sources,
      finishReason: 'stop',
      promptTokens: 10,
      completionTokens: 2,
      errorCode: undefined,
    });
    const {
      retrieval: searched,
      prompt,
      prefill,
      first_token: first,
      generation,
      total,
      ...rest
    } = history.only.timings;
    expect(rest).toEqual({});
    // Each stage is a part of the whole, and none is counted twice.
    expect([searched, prompt, prefill].reduce<number>((sum, ms = Number.NaN) => sum + ms, 0)).toBeLessThanOrEqual(
      first ?? 0,
    );
    expect((first ?? Number.NaN) + (generation ?? Number.NaN)).toBeLessThanOrEqual(total ?? 0);
    expect(saved).toEqual([expect.any(Number)]);
  });

  test('gives the model the passages and the question, but no name of the user', async () => {
    await read(await ask());
    const prompt = JSON.stringify(llm.prompts[0]);
    expect(prompt).toContain('Векторная база хранит эмбеддинги.');
    expect(prompt).toContain('Вопрос: Что такое RAG?');
    expect(prompt).not.toContain('Иван');
  });

  test('has a new boundary in each prompt', async () => {
    const boundaryOf = (call: number) => /«([0-9a-f]{24})»/.exec(llm.prompts[call]?.[1]?.content ?? '')?.[1];
    await read(await ask());
    await read(await ask());
    expect(boundaryOf(0)).toBeTruthy();
    expect(boundaryOf(0)).not.toBe(boundaryOf(1));
  });

  test('begins with the first character that is not white space', async () => {
    llm.tell = () => say('\n', ' ', '\nДа');
    expect(await read(await ask())).toBe('\n \nДа');
  });

  test('ends cleanly only after it is saved', async () => {
    let release: () => void = () => undefined;
    history.before = (operation) =>
      operation === 'finish'
        ? new Promise((resolve) => {
            release = resolve;
          })
        : undefined;
    const answer = await ask();
    let ended = false;
    const text = read(answer).finally(() => {
      ended = true;
    });
    await until('the answer is being saved', () => summaries.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    release();
    expect(await text).toBe('Да');
  });

  test('is saved although the database was gone for a moment', async () => {
    let failures = 0;
    history.before = (operation) => {
      if (operation === 'finish' && failures++ < 3) throw new RagFailure('history-unavailable', 'restarting');
    };
    expect(await read(await ask())).toBe('Да');
    expect(history.only.status).toBe('complete');
  });

  test('breaks off when it was promised to be saved and cannot be', async () => {
    history.before = (operation) => {
      if (operation === 'finish') throw new Error('the disk is full');
    };
    await expect(read(await ask())).rejects.toMatchObject({ kind: 'history-unavailable' });
    expect(events).toContain('lost');
  });
});

describe('citations', () => {
  test('of passages that were not given never reach the reader; those that were used are saved', async () => {
    retrieval.results = [
      { collection: 'a', passages: [passage({ id: '1', text: 'Один.' }), passage({ id: '2', text: 'Два.' })] },
    ];
    llm.tell = () => say('Да [', '9', ']', ' и нет [2', '].');
    expect(await read(await ask())).toBe('Да и нет [2].');
    expect(history.only.answer).toBe('Да и нет [2].');
    expect(history.only.sources.map(({ number, cited }) => [number, cited])).toEqual([
      [1, false],
      [2, true],
    ]);
  });
});

test('sources are kept without what a database cannot hold, whoever wrote the passages', async () => {
  const text = 'Курс\u0000 \ud800Python';
  retrieval.results = [{ collection: 'a', passages: [passage({ text, source: text, title: text, heading: text })] }];
  const answer = await ask();
  await read(answer);
  const kept = 'Курс \ufffdPython';
  expect(history.only.sources).toMatchObject([{ text: kept, source: kept, title: kept, heading: kept }]);
});

describe('a question that refers to the one before it', () => {
  const conversation = [
    { role: 'user', content: 'Что такое Qdrant и зачем он нужен?' },
    { role: 'assistant', content: 'База векторов [1].' },
  ] as const;
  const follow = (message: string) => build().ask({ ...QUESTION, message, history: conversation }, controller.signal);

  test('is searched with it, and the model is told what was said', async () => {
    await read(await follow('А кто её сделал?'));
    expect(retrieval.queries[0]?.query).toBe('Что такое Qdrant и зачем он нужен? А кто её сделал?');
    expect(llm.prompts[0]?.slice(1, 3).map(({ content }) => content)).toEqual([
      'Что такое Qdrant и зачем он нужен?',
      'База векторов.',
    ]);
    expect(history.only.question).toBe('А кто её сделал?');
  });
});

describe('the context of the server', () => {
  test('bounds the prompt when it is smaller than the setting', async () => {
    const passages = Array.from({ length: 8 }, (_, index) =>
      passage({ id: String(index), text: `${index} ${'слово '.repeat(60)}` }),
    );
    retrieval.results = [{ collection: 'a', passages }];
    const none = { count: async () => undefined, forget: () => undefined };
    const all = (await ask()).sources.length;
    llm.tokenizer = { contextTokens: async () => 2048, ...none };
    const fewer = (await ask()).sources.length;
    expect(fewer).toBeLessThan(all);
    llm.tokenizer = { ...llm.tokenizer, count: async (texts) => texts.map(() => 10) };
    expect((await ask()).sources).toHaveLength(8);
  });
});

describe('without a passage', () => {
  beforeEach(() => {
    retrieval = new MemoryRetrieval();
  });

  test('refuses without asking the model, and saves that', async () => {
    const answer = await ask();
    expect(answer).toMatchObject({ refused: true, sources: [], exchangeId: history.only.id });
    expect(await read(answer)).toBe(REFUSAL);
    expect(llm.prompts).toEqual([]);
    expect(history.only).toMatchObject({ status: 'complete', refused: true, answer: REFUSAL });
  });

  test('does not end cleanly when it was aborted before its end was taken', async () => {
    const answer = await ask();
    const first = await answer.text.next();
    controller.abort(new Error('the service stops'));
    await until('the abort is saved', () => history.hasEnded('aborted'));
    expect(first.value).toBe(REFUSAL);
    await expect(answer.text.next()).rejects.toThrow('the service stops');
  });

  test('tells the model so in the mode general', async () => {
    const answer = await ask({ noContext: 'general' });
    expect(await read(answer)).toBe('Да');
    expect(answer).toMatchObject({ refused: false, sources: [] });
    expect(llm.prompts[0]?.[0]?.content).toContain('ничего не найдено');
  });
});

describe('with passages that the gate does not let pass', () => {
  const gate = { similarity: 0.6, support: 1000 };
  const near = { ...passage({ similarity: 0.6, score: 0.01 }) };
  const far = { ...passage({ similarity: 0.59, score: 1 }) };

  test.each([
    ['too far', far],
    ['of too few of its words', passage({ score: 1 })],
  ])('%s, a question is refused without asking the model', async (_, one) => {
    retrieval.results = [{ collection: 'BD_curs_data', passages: [one] }];
    const answer = await ask({ gate });
    expect(await read(answer)).toBe(REFUSAL);
    expect(answer).toMatchObject({ refused: true, sources: [] });
    expect(llm.prompts).toEqual([]);
  });

  test('the model is told that nothing was found in the mode general', async () => {
    retrieval.results = [{ collection: 'BD_curs_data', passages: [far] }];
    const answer = await ask({ gate, noContext: 'general' });
    expect(await read(answer)).toBe('Да');
    expect(answer).toMatchObject({ refused: false, sources: [] });
    expect(JSON.stringify(llm.prompts)).not.toContain(far.text);
  });

  test('all passages go to the model when one is close enough, whatever its rank', async () => {
    retrieval.results = [{ collection: 'BD_curs_data', passages: [{ ...far, id: 'a', contentHash: 'a' }, near] }];
    expect((await ask({ gate })).sources).toHaveLength(2);
  });

  test('without the embedding server, words are looked at, and the answer says what it had to do without', async () => {
    retrieval.results = [{ collection: 'BD_curs_data', passages: [passage({ score: 5, text: 'Такое RAG' })] }];
    retrieval.vectorFailure = new Error('down');
    const answer = await ask({ gate: { similarity: 0.9, support: 5 } });
    expect(answer).toMatchObject({ refused: false, degraded: ['embeddings'] });
  });
});

describe('when collections cannot be searched', () => {
  const failure = new Error('down');

  test('refuses nothing as "not found": the question fails', async () => {
    retrieval.results = [
      { collection: 'a', failure },
      { collection: 'b', passages: [] },
    ];
    await expect(ask()).rejects.toMatchObject({ kind: 'retrieval-unavailable' });
    await until('the failure is saved', () => history.hasEnded('error'));
    expect(history.only.errorCode).toBe('retrieval-unavailable');
    expect(llm.prompts).toEqual([]);
  });

  test('nor where the gate lets nothing of the others pass', async () => {
    retrieval.results = [
      { collection: 'a', failure },
      { collection: 'b', passages: [passage({ similarity: 0.1 })] },
    ];
    await expect(ask({ gate: { similarity: 0.6 } })).rejects.toMatchObject({ kind: 'retrieval-unavailable' });
    expect(llm.prompts).toEqual([]);
  });

  test('answers from the others, and says that it is degraded', async () => {
    retrieval.results = [
      { collection: 'a', failure },
      { collection: 'b', passages: [passage()] },
    ];
    const answer = await ask();
    expect(answer.degraded).toEqual(['retrieval']);
    await read(answer);
    expect(history.only.degraded).toEqual(['retrieval']);
  });

  test('answers without them in the mode general, and says that it is degraded', async () => {
    retrieval.results = [{ collection: 'a', failure }];
    const answer = await ask({ noContext: 'general' });
    expect(answer).toMatchObject({ degraded: ['retrieval'], sources: [] });
  });

  test.each([
    ['nothing', []],
    ['nothing that the gate lets pass', [passage({ similarity: 0.1 })]],
  ])('the model is not told that the course has no answer where the others gave %s', async (_, passages) => {
    retrieval.results = [
      { collection: 'a', failure },
      { collection: 'b', passages },
    ];
    await read(await ask({ noContext: 'general', gate: { similarity: 0.6 } }));
    const [system] = llm.prompts[0] ?? [];
    expect(system?.content).toContain('сейчас недоступны');
    expect(system?.content).not.toContain('ничего не найдено');
  });
});

const down = (): never => {
  throw new RagFailure('history-unavailable', 'refused');
};

describe('when the history is down', () => {
  test('answers without an exchange id, and ends cleanly', async () => {
    history.before = down;
    const pipeline = build();
    const answer = await pipeline.ask(QUESTION, controller.signal);
    expect(answer).toMatchObject({ exchangeId: undefined, degraded: ['history'] });
    expect(await read(answer)).toBe('Да');
    history.before = () => undefined;
    await pipeline.drain();
    expect(events).not.toContain('lost');
  });

  test('saves what was asked meanwhile when it is back, in order, with the times at which it was', async () => {
    history.before = down;
    const pipeline = build();
    const began = Date.now();
    const questions = ['первый', 'второй', 'третий'];
    for (const message of questions) {
      await read(await pipeline.ask({ ...QUESTION, message }, controller.signal));
    }
    await until('all wait', () => pipeline.waiting.size === 3);
    const ended = Date.now();
    expect(pipeline.waiting.bytes).toBeGreaterThan(3000);
    history.before = () => undefined;
    await pipeline.drain();
    const saved = [...history.exchanges.values()];
    expect(saved.map(({ question, status, answer }) => [question, status, answer])).toEqual(
      questions.map((question) => [question, 'complete', 'Да']),
    );
    for (const { createdAt, finishedAt } of saved) {
      expect(createdAt.getTime()).toBeGreaterThanOrEqual(began);
      expect(finishedAt?.getTime()).toBeLessThanOrEqual(ended);
    }
    expect(pipeline.waiting).toMatchObject({ size: 0, bytes: 0 });
    expect(events.filter((event) => event === 'saved late')).toHaveLength(3);
    expect(events).not.toContain('lost');
  });

  test.each([
    ['exchanges', { exchanges: 2, bytes: 1e9 }],
    ['bytes', { exchanges: 100, bytes: 5000 }],
  ])('lets the oldest go where too many %s wait', async (_what, waiting) => {
    history.before = down;
    const pipeline = build({ waiting });
    for (const message of ['первый', 'второй', 'третий', 'четвёртый', 'пятый', 'шестой']) {
      await read(await pipeline.ask({ ...QUESTION, message }, controller.signal));
    }
    await until('they wait', () => summaries.length === 6 && events.includes('lost'));
    expect(pipeline.waiting.bytes).toBeLessThanOrEqual(waiting.bytes);
    const { size } = pipeline.waiting;
    expect(size).toBeGreaterThan(0);
    history.before = () => undefined;
    await pipeline.drain();
    expect([...history.exchanges.values()].map(({ question }) => question)).toEqual(
      ['первый', 'второй', 'третий', 'четвёртый', 'пятый', 'шестой'].slice(-size),
    );
    expect(events.filter((event) => event === 'lost')).toHaveLength(6 - size);
  });

  test('loses what waits when the service gives it up, and says so', async () => {
    history.before = down;
    const pipeline = build();
    await read(await pipeline.ask(QUESTION, controller.signal));
    await until('it waits', () => pipeline.waiting.size === 1);
    pipeline.waiting.giveUp();
    await pipeline.drain();
    expect(pipeline.waiting.size).toBe(0);
    expect(events).toContain('lost');
  });

  test('writes nothing of a user who was forgotten meanwhile', async () => {
    history.before = down;
    const pipeline = build();
    await read(await pipeline.ask({ ...QUESTION, userName: 'Пётр' }, controller.signal));
    await read(await pipeline.ask(QUESTION, controller.signal));
    await until('both wait', () => pipeline.waiting.size === 2);
    await pipeline.waiting.forget('Пётр');
    history.before = () => undefined;
    await pipeline.drain();
    expect(history.only.userName).toBe(QUESTION.userName);
  });

  test('waits no longer than two seconds for it', async () => {
    history.before = () => new Promise(() => undefined);
    const began = performance.now();
    const answer = await ask();
    expect(performance.now() - began).toBeGreaterThan(1500);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(answer).toMatchObject({ exchangeId: undefined, degraded: ['history'] });
    expect(await read(answer)).toBe('Да');
  });
});

describe('a user who is forgotten while an answer is on its way', () => {
  let finish: () => void;

  beforeEach(() => {
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    llm.tell = async function* () {
      yield { type: 'text', text: 'Да' };
      await held;
      yield END;
    };
  });

  test('is not written anew when the history was down as it began', async () => {
    history.before = down;
    const pipeline = build();
    const answer = await pipeline.ask(QUESTION, controller.signal);
    const other = await pipeline.ask({ ...QUESTION, userName: 'Пётр' }, controller.signal);
    history.before = () => undefined;
    await pipeline.forget(QUESTION.userName);
    expect(await history.forget(QUESTION.userName)).toBe(0);
    finish();
    expect(await read(answer)).toBe('Да');
    await read(other);
    await pipeline.drain();
    expect(history.only.userName).toBe('Пётр');
    expect(events.filter((event) => event === 'waits')).toHaveLength(1);
    expect(events).not.toContain('lost');
  });

  test('is waited for until the beginning is in the history, to be removed there', async () => {
    let begin: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      begin = resolve;
    });
    history.before = (operation) => (operation === 'begin' ? held : undefined);
    const pipeline = build();
    const answer = pipeline.ask(QUESTION, controller.signal);
    const forgotten = pipeline.forget(QUESTION.userName).then(() => history.forget(QUESTION.userName));
    begin();
    expect(await forgotten).toBe(1);
    finish();
    await read(await answer);
    await pipeline.drain();
    expect(history.exchanges.size).toBe(0);
  });

  test('gets the end of an answer that was announced, though it is kept no more', async () => {
    const pipeline = build();
    const answer = await pipeline.ask(QUESTION, controller.signal);
    expect(answer.exchangeId).toBeDefined();
    await pipeline.forget(QUESTION.userName);
    await history.forget(QUESTION.userName);
    finish();
    expect(await read(answer)).toBe('Да');
    await pipeline.drain();
    expect(history.exchanges.size).toBe(0);
    expect(events).not.toContain('lost');
  });
});

describe('when the model fails', () => {
  test('before its first character, the question fails and is saved as an error', async () => {
    const failure = new RagFailure('llm-unavailable', 'refused');
    llm.tell = () => fail(failure, '');
    await expect(ask()).rejects.toBe(failure);
    await until('the failure is saved', () => history.hasEnded('error'));
    expect(history.only).toMatchObject({ errorCode: 'llm-unavailable', answer: '' });
  });

  test.each([[[]], [['']], [[' \n']]])('an answer without a character is one: %j', async (texts) => {
    llm.tell = () => say(...texts);
    await expect(ask()).rejects.toMatchObject({ kind: 'llm-failed', message: expect.stringContaining('no text') });
  });

  test('in the middle, the text breaks off and what was said is saved as an error', async () => {
    const failure = new RagFailure('llm-failed', 'EngineCore');
    llm.tell = () => fail(failure, 'Векторная', ' база');
    const answer = await ask();
    await expect(read(answer)).rejects.toBe(failure);
    await until('the failure is saved', () => history.hasEnded('error'));
    expect(history.only.answer).toBe('Векторная база');
    expect(answer.signal.aborted).toBe(true);
  });

  test('by refusing the prompt as too long, it is asked once more with fewer passages', async () => {
    retrieval.results = [
      {
        collection: 'a',
        passages: Array.from({ length: 8 }, (_, index) =>
          passage({ id: String(index), text: `${index} ${'слово '.repeat(60)}` }),
        ),
      },
    ];
    llm.tell = (call) => (call === 1 ? fail(new RagFailure('llm-context', 'too long')) : say('Да'));
    const answer = await ask();
    const countOf = (call: number) => llm.prompts[call]?.[1]?.content.match(/^\[\d+\]/gm)?.length ?? 0;
    expect(llm.prompts).toHaveLength(2);
    expect(countOf(1)).toBeLessThan(countOf(0));
    expect(answer.sources).toHaveLength(countOf(1));
    await read(answer);
    expect(history.only.sources).toHaveLength(countOf(1));
  });

  test('by refusing that, too, the question fails', async () => {
    llm.tell = () => fail(new RagFailure('llm-context', 'too long'));
    await expect(ask()).rejects.toMatchObject({ kind: 'llm-context' });
    expect(llm.prompts).toHaveLength(2);
  });

  test('a question that leaves no room for a passage is not answered without one', async () => {
    await expect(ask({ contextTokens: 600 })).rejects.toMatchObject({ kind: 'llm-context' });
    expect(llm.prompts).toEqual([]);
  });
});

describe('when the client is gone', () => {
  const gone = new Error('the client is gone');

  test('while collections are searched, nothing is asked of the model', async () => {
    retrieval.results = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const answer = ask();
    setImmediate(() => controller.abort(gone));
    await expect(answer).rejects.toBe(gone);
    await until('the end is saved', () => history.hasEnded('aborted'));
    expect(llm.prompts).toEqual([]);
  });

  test('before the first character, the model is stopped', async () => {
    llm.tell = (_call, signal) => stall(signal);
    const answer = ask();
    await until('the model is asked', () => llm.prompts.length === 1);
    controller.abort(gone);
    await expect(answer).rejects.toBe(gone);
    expect(llm.signals[0]?.aborted).toBe(true);
    await until('the end is saved', () => history.hasEnded('aborted'));
  });

  test('in the middle, the model is stopped and what was said is saved', async () => {
    llm.tell = (_call, signal) => stall(signal, 'Векторная');
    const answer = await ask();
    const text = read(answer);
    await until('the first text was read', () => events.includes('began'));
    controller.abort(gone);
    await expect(text).rejects.toBe(gone);
    expect(llm.signals[0]?.aborted).toBe(true);
    await until('the end is saved', () => history.hasEnded('aborted'));
    expect(history.only.answer).toBe('Векторная');
  });

  test('and nobody ever read the text, it is saved all the same', async () => {
    llm.tell = (_call, signal) => stall(signal, 'Векторная');
    const pipeline = build();
    await pipeline.ask(QUESTION, controller.signal);
    controller.abort(gone);
    await pipeline.drain();
    expect(history.only.status).toBe('aborted');
    expect(llm.signals[0]?.aborted).toBe(true);
  });

  test('after the end, nothing changes', async () => {
    await read(await ask());
    controller.abort(gone);
    expect(history.only.status).toBe('complete');
    expect(summaries).toHaveLength(1);
  });
});

describe('the total deadline', () => {
  test('ends a question that gets no answer', async () => {
    llm.tell = (_call, signal) => stall(signal);
    await expect(ask({ totalMs: 50 })).rejects.toMatchObject({ kind: 'llm-timeout' });
    await until('the end is saved', () => history.hasEnded('error'));
  });

  test('ends an answer that nobody reads', async () => {
    llm.tell = (_call, signal) => stall(signal, 'Да');
    const answer = await ask({ totalMs: 50 });
    await until('the answer is over', () => answer.signal.aborted);
    await until('the end is saved', () => history.hasEnded('error'));
    expect(history.only.errorCode).toBe('llm-timeout');
  });
});

test('drain waits for exchanges that are being saved', async () => {
  let release: () => void = () => undefined;
  history.before = (operation) =>
    operation === 'finish'
      ? new Promise((resolve) => {
          release = resolve;
        })
      : undefined;
  const pipeline = build();
  const answer = await pipeline.ask(QUESTION, controller.signal);
  controller.abort(new Error('the client is gone'));
  let drained = false;
  const drain = pipeline.drain().then(() => {
    drained = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(drained).toBe(false);
  release();
  await drain;
  expect(history.only.id).toBe(answer.exchangeId);
  expect(history.only.status).toBe('aborted');
});
