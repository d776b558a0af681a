import type { ChatMessage } from './ports.js';
import { termsOf } from './retrieval/terms.js';

/** Questions of so few terms rarely name what they are about once it has been named. */
const FEW_TERMS = 3;

/** In questions of more terms a pronoun rather stands for something that they name themselves. */
const FEW_TERMS_OF_POINTING = 5;

/** Most characters of the question before that are searched: a client may send it as long as a whole conversation. */
const LONGEST_BEFORE = 4000;

/** Words that stand for something that was named before, Russian and English. */
const POINTING = new Set(
  (
    'он она оно они его её ее их ему ей им ним ней них неё нее нём нем ними этот эта это эти этого этой этих этому этим ' +
    'этом тот та те того той тех тому тем там туда тогда такой такая такое такие он-то ' +
    'it its he him his she her hers they them their theirs this that these those there then such'
  ).split(' '),
);

/**
 * What is searched for a question: itself, or after a question before it when it may not be understood without that.
 *
 * On XQuAD-ru's 456 questions (nDCG@10 of BM25): with names taken away, which is what a follow-up does, questions of up
 * to three terms reach 0.64 alone and 0.97 after the question before them about the same paragraph; after a question
 * about something else they fall to 0.56. Questions of nine terms lose by the second what they gain by the first,
 * so that long ones are searched alone.
 *
 * @param history what was said before, oldest first
 */
export function searchedQuestion(message: string, history: readonly ChatMessage[]): string {
  const before = history.findLast(({ role }) => role === 'user')?.content;
  if (before === undefined || !pointsBack(message)) return message;
  return `${before.slice(0, LONGEST_BEFORE)} ${message}`;
}

function pointsBack(message: string): boolean {
  const terms = new Set(termsOf(message)).size;
  if (terms <= FEW_TERMS) return true;
  if (terms > FEW_TERMS_OF_POINTING) return false;
  return (message.toLowerCase().match(/[\p{L}-]+/gu) ?? []).some((word) => POINTING.has(word));
}
