import { describe, expect, test } from 'vitest';
import { passesGate, supportOf } from '../../src/rag/gate.js';
import { passage } from '../support/rag-parts.js';

const QUESTION = 'осмос и мембрана';
const near = passage({ id: 'a', similarity: 0.8, score: 0.5, text: 'Осмос' });
const far = passage({ id: 'b', similarity: 0.3, score: 0.9, text: 'Курс' });
const found = (score: number, text: string) => passage({ score, text, title: '', heading: '' });

describe('the gate', () => {
  test('without values lets everything pass', () => {
    expect(passesGate(QUESTION, [far], {})).toBe(true);
    expect(passesGate(QUESTION, [], {})).toBe(true);
  });

  test.each([
    [0.8, true],
    [0.81, false],
    [-1, true],
  ])('of similarity %d looks at the closest passage, wherever it stands', (similarity, passes) => {
    expect(passesGate(QUESTION, [far, near], { similarity })).toBe(passes);
  });

  test('never looks at what a fusion scored, nor at words where vectors were compared', () => {
    const fused = { ...far, score: 1000 };
    expect(passesGate(QUESTION, [fused], { similarity: 0.5 })).toBe(false);
    expect(passesGate(QUESTION, [{ ...near, score: 0 }], { similarity: 0.5, support: 100 })).toBe(true);
  });

  test('compares support in collections without vectors, whatever vectors found elsewhere', () => {
    const words = found(4, 'осмос');
    expect(passesGate(QUESTION, [far, words], { similarity: 0.5, support: 2 })).toBe(true);
    expect(passesGate(QUESTION, [far, words], { similarity: 0.5, support: 2.1 })).toBe(false);
    expect(passesGate(QUESTION, [far, words], { similarity: 0.5 })).toBe(false);
    expect(passesGate(QUESTION, [near, words], { similarity: 0.5, support: 1000 })).toBe(true);
  });

  test('takes no passage of a fusion for one that was found by words alone, though it has no similarity', () => {
    const fused = { ...found(1000, 'осмос и мембрана'), isFused: true };
    expect(passesGate(QUESTION, [fused], { similarity: 0.5, support: 0.1 })).toBe(false);
    expect(passesGate(QUESTION, [far, fused], { similarity: 0.5, support: 0.1 })).toBe(false);
  });

  test('compares support where no vectors were', () => {
    const passages = [found(1, 'курс'), found(4, 'осмос')];
    // One of the two words of the question is held: 4 * 1/2.
    expect(passesGate(QUESTION, passages, { support: 2 })).toBe(true);
    expect(passesGate(QUESTION, passages, { support: 2.1 })).toBe(false);
    expect(passesGate(QUESTION, passages, { similarity: 0.99 })).toBe(true);
    expect(passesGate(QUESTION, [], { support: 0 })).toBe(false);
  });
});

describe('support', () => {
  test.each([
    ['all words in other forms', found(3, 'Мембраны и осмоса'), 3],
    ['half of them', found(3, 'мембрана'), 1.5],
    ['none', found(3, 'курс'), 0],
    ['words of the title and the heading', passage({ score: 3, title: 'Осмос', heading: 'Мембрана', text: '' }), 3],
  ])('of %s', (_, one, value) => {
    expect(supportOf(QUESTION, one)).toBeCloseTo(value, 12);
  });

  test('of a question of stop words is none', () => {
    expect(supportOf('что и как', found(3, 'что и как'))).toBe(0);
  });
});
