import { beforeEach, describe, expect, test } from 'vitest';
import { ENGLISH_REFUSAL, REFUSAL } from '../../src/rag/exchange.js';
import { ExtractiveLlm, extract } from '../../src/rag/llm/extractive.js';
import { type Answer, Pipeline } from '../../src/rag/pipeline.js';
import type { LlmEvent, Passage } from '../../src/rag/ports.js';
import { MemoryHistory, MemoryRetrieval, passage } from '../support/rag-parts.js';

const GNOMON = 'Гномон отбрасывает тень на циферблат. Его наклон равен широте места.';
const EQUATION =
  'Уравнение времени показывает разницу между часами. Осенью солнечные часы спешат на шестнадцать минут.';
const ENGLISH = 'The gnomon casts a shadow on the dial. Its angle is the latitude of the place.';

const passages = (...texts: readonly string[]): Passage[] =>
  texts.map((text, index) => passage({ id: String(index), text, heading: '' }));

/** The quotations of an answer with the numbers of their passages. */
const quotesIn = (answer: string) =>
  [...answer.matchAll(/«(.+)» \[(\d+)\]/g)].map(([, text = '', number]) => ({ text, number: Number(number) }));

const prompt = (question: string, found: readonly Passage[]) => ({ messages: [], question, passages: found });

describe('a quoted answer', () => {
  test('quotes the sentence that answers, with the number of its passage', () => {
    const answer = extract('Что показывает уравнение времени?', passages(GNOMON, EQUATION));
    expect(quotesIn(answer)).toEqual([{ text: 'Уравнение времени показывает разницу между часами.', number: 2 }]);
  });

  test('has what it quotes literally in that passage', () => {
    const found = passages(GNOMON, EQUATION, ENGLISH);
    for (const question of [
      'Тень гномона и наклон',
      'солнечные часы осенью и разница',
      'shadow of the gnomon, angle',
    ]) {
      const quotes = quotesIn(extract(question, found));
      expect(quotes, question).not.toEqual([]);
      for (const { text, number } of quotes) expect(found[number - 1]?.text, question).toContain(text);
    }
  });

  test('keeps the order of the passages and of the sentences in them', () => {
    const answer = extract('наклон и широта места, тень гномона, часы осенью', passages(GNOMON, EQUATION));
    expect(quotesIn(answer)).toEqual([
      { text: 'Гномон отбрасывает тень на циферблат.', number: 1 },
      { text: 'Его наклон равен широте места.', number: 1 },
      { text: 'Осенью солнечные часы спешат на шестнадцать минут.', number: 2 },
    ]);
  });

  test('never has more than three quotations', () => {
    const many = passages(
      ...Array.from({ length: 8 }, (_, index) => `Гномон номер ${index} отбрасывает длинную тень.`),
    );
    expect(quotesIn(extract('Какую тень отбрасывает гномон?', many))).toHaveLength(3);
  });

  test('has a sentence once that two passages share, from the first of them', () => {
    expect(quotesIn(extract('Что с тенью?', passages(GNOMON, GNOMON)))).toEqual([
      { text: 'Гномон отбрасывает тень на циферблат.', number: 1 },
    ]);
  });

  test.each([
    ['Russian', 'Куда падает тень гномона?', /^Модель не подключена/, 1],
    ['English', 'Where does the shadow fall?', /^No model is connected/, 2],
    ['English, with passages in Russian alone', 'PostgreSQL gnomon', /^No model is connected/, 2],
  ])('speaks the language of the question: %s', (_, question, beginning, number) => {
    const answer = extract(question, passages(GNOMON, ENGLISH));
    expect(answer).toMatch(beginning);
    expect(quotesIn(answer).map((quote) => quote.number)).toEqual([number]);
  });

  test.each([
    ['nothing in common', 'Как настроить PostgreSQL в облаке?', passages(GNOMON, EQUATION)],
    ['no word that says anything', 'Что это и как?', passages('Что и как, если они там есть всегда.')],
    ['no passage at all', 'Куда падает тень?', []],
    ['no sentence, only code', 'Куда падает тень?', passages('```\nтень падает туда, куда ей положено падать\n```')],
  ])('says so when there is %s', (_, question, found) => {
    const answer = extract(question, found);
    expect(quotesIn(answer)).toEqual([]);
    expect(answer).toContain('нет предложения, которое отвечало бы на вопрос');
  });

  test('says so in English, too', () => {
    expect(extract('How do I set up PostgreSQL?', passages(GNOMON))).toBe(
      'No model is connected, and no sentence of the material answers the question.',
    );
  });

  test('prefers a sentence that has the word to one whose heading has it', () => {
    const found = [
      passage({ id: 'a', heading: 'Часы > Гномон', text: 'Она падает на циферблат каждый ясный день.' }),
      passage({ id: 'b', heading: 'Часы > Тени', text: 'Гномон стоит посередине любого циферблата.' }),
    ];
    expect(quotesIn(extract('гномон', found))[0]).toEqual({
      text: 'Гномон стоит посередине любого циферблата.',
      number: 2,
    });
  });

  test('is without the marks of Markdown', () => {
    const text = '# Тень\n\n- **Гномон** отбрасывает [тень](http://x.example) на *циферблат*.\n\n```\nтень()\n```\n';
    expect(quotesIn(extract('тень гномона', passages(text)))).toEqual([
      { text: 'Гномон отбрасывает тень на циферблат.', number: 1 },
    ]);
  });

  test('is the same each time', () => {
    const found = passages(GNOMON, EQUATION, ENGLISH);
    const answers = Array.from({ length: 5 }, () => extract('тень гномона на солнечных часах', found));
    expect(new Set(answers).size).toBe(1);
  });
});

describe('the extractive model', () => {
  const llm = new ExtractiveLlm();
  const found = passages(GNOMON, EQUATION);
  const QUESTION = 'наклон гномона, тень и солнечные часы осенью';

  test('gives the text in pieces that joined are the whole, and then its end', async () => {
    const events: LlmEvent[] = [];
    for await (const event of llm.chat(prompt(QUESTION, found), new AbortController().signal)) events.push(event);
    const pieces = events.slice(0, -1).map((event) => (event.type === 'text' ? event.text : '?'));
    expect(events.at(-1)).toEqual({ type: 'end', finishReason: 'stop', usage: undefined });
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('')).toBe(extract(QUESTION, found));
  });

  test.each([1, 3])('ends at once with the reason when it is aborted after %i pieces', async (count) => {
    const controller = new AbortController();
    const reason = new Error('the client is gone');
    const events = llm.chat(prompt(QUESTION, found), controller.signal);
    for (let taken = 0; taken < count; taken += 1) expect((await events.next()).value).toMatchObject({ type: 'text' });
    controller.abort(reason);
    await expect(events.next()).rejects.toBe(reason);
  });

  test('ends with the reason when it is aborted while it pauses', async () => {
    const controller = new AbortController();
    const reason = new Error('the client is gone');
    const events = llm.chat(prompt(QUESTION, found), controller.signal);
    await events.next();
    const next = events.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
  });

  test('says nothing when it was aborted before', async () => {
    const reason = new Error('the client is gone');
    await expect(llm.chat(prompt(QUESTION, found), AbortSignal.abort(reason)).next()).rejects.toBe(reason);
  });

  test('does not end cleanly when it is aborted after its last piece', async () => {
    const controller = new AbortController();
    const nothing = prompt('PostgreSQL', []);
    const count = Math.ceil(extract(nothing.question, []).split(' ').length / 3);
    const events = llm.chat(nothing, controller.signal);
    for (let taken = 0; taken < count; taken += 1) await events.next();
    controller.abort(new Error('late'));
    await expect(events.next()).rejects.toThrow('late');
  });
});

describe('in the pipeline', () => {
  let retrieval: MemoryRetrieval;
  let history: MemoryHistory;

  beforeEach(() => {
    retrieval = new MemoryRetrieval(...passages(GNOMON, EQUATION));
    history = new MemoryHistory();
  });

  function ask(message: string): Promise<Answer> {
    const nothing = () => undefined;
    const pipeline = new Pipeline({
      retrieval,
      history,
      llm: new ExtractiveLlm(),
      settings: { systemPrompt: '', contextTokens: 8192, answerTokens: 512, noContext: 'refuse', totalMs: 20_000 },
      observer: {
        retrieved: nothing,
        degraded: nothing,
        began: nothing,
        ended: nothing,
        waits: nothing,
        lost: nothing,
        saved: nothing,
        savedLate: nothing,
      },
    });
    return pipeline.ask({ requestId: 'r', message, userName: 'u', course: 'demo' }, new AbortController().signal);
  }

  async function read(answer: Answer): Promise<string> {
    let text = '';
    for await (const piece of answer.text) text += piece;
    return text;
  }

  test('a question is answered with quotations whose numbers are those of the sources', async () => {
    const answer = await ask('Что показывает уравнение времени?');
    const text = await read(answer);
    const [quote] = quotesIn(text);
    expect(answer.sources.find(({ number }) => number === quote?.number)?.text).toContain(quote?.text);
    expect(history.only).toMatchObject({ status: 'complete', answer: text, finishReason: 'stop', model: 'extractive' });
  });

  test.each([
    ['English', 'What does the equation of time show?', ENGLISH_REFUSAL],
    ['Russian', 'Что показывает уравнение времени?', REFUSAL],
    ['Russian with English words', 'Что такое equation of time?', REFUSAL],
  ])('a question in %s without a passage is refused in its language', async (_, question, refusal) => {
    retrieval.results = [{ collection: 'BD_curs_data', passages: [] }];
    const answer = await ask(question);
    expect(answer.refused).toBe(true);
    expect(await read(answer)).toBe(refusal);
    expect(history.only).toMatchObject({ status: 'complete', answer: refusal, refused: true });
  });
});
