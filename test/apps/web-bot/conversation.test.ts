import { expect, test } from 'vitest';
import { Conversation } from '../../../src/apps/web-bot/conversation.js';

const turn = (question: string, answer = 'Да.', course = 'demo') => ({ course, question, answer });
const questionsOf = (conversation: Conversation) =>
  conversation.about('demo').flatMap(({ role, content }) => (role === 'user' ? [content] : []));

test('the last five turns are kept, oldest first', () => {
  const conversation = new Conversation();
  for (let number = 1; number <= 7; number += 1) conversation.add(turn(String(number)));
  expect(questionsOf(conversation)).toEqual(['3', '4', '5', '6', '7']);
});

test('the oldest are left out when all together would be too long for a body', () => {
  const conversation = new Conversation();
  for (let number = 1; number <= 4; number += 1) conversation.add(turn(String(number), 'ы'.repeat(4000)));
  expect(questionsOf(conversation)).toEqual(['2', '3', '4']);
});
