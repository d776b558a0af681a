import dns, { type LookupOptions } from 'node:dns';
import { expect, test } from 'vitest';
import { sharing } from '../../src/apps/name-lookups.js';

interface Question {
  readonly hostname: string;
  readonly answer: (...answer: unknown[]) => void;
}

/** A look-up that answers when it is told to, and the way to call it that clients have. */
function slow() {
  const questions: Question[] = [];
  const lookup = sharing(((hostname: string, _options: LookupOptions, answer: Question['answer']) => {
    if (hostname === 'refused') throw new TypeError('no such option');
    questions.push({ hostname, answer });
  }) as typeof dns.lookup);
  const ask = (hostname: string, options: LookupOptions = { all: true }) =>
    new Promise<unknown>((resolve, reject) => {
      lookup(hostname, options, (error, address) => (error ? reject(error) : resolve(address)));
    });
  return { questions, ask };
}

test('calls that want one name at a time wait for one question', async () => {
  const { questions, ask } = slow();
  const answers = Promise.all([ask('qdrant'), ask('qdrant'), ask('postgres')]);
  expect(questions.map(({ hostname }) => hostname)).toEqual(['qdrant', 'postgres']);

  questions[0]?.answer(null, ['10.0.0.2']);
  questions[1]?.answer(null, ['10.0.0.3']);
  expect(await answers).toEqual([['10.0.0.2'], ['10.0.0.2'], ['10.0.0.3']]);
});

test('an answer is not kept: the next call asks anew, after a failure as well', async () => {
  const { questions, ask } = slow();
  const first = ask('qdrant');
  questions[0]?.answer(Object.assign(new Error('gone'), { code: 'EAI_AGAIN' }));
  await expect(first).rejects.toThrow('gone');

  const second = ask('qdrant');
  questions[1]?.answer(null, ['10.0.0.4']);
  expect(await second).toEqual(['10.0.0.4']);
  expect(questions).toHaveLength(2);
});

test('who asks otherwise asks for himself', () => {
  const { questions, ask } = slow();
  void ask('qdrant', { family: 4 });
  void ask('qdrant', { family: 6 });
  expect(questions).toHaveLength(2);
});

test('what is no question at all is refused each time', async () => {
  const { ask } = slow();
  await expect(ask('refused')).rejects.toThrow('no such option');
  await expect(ask('refused')).rejects.toThrow('no such option');
});

test('the look-up of Node itself, shared, finds what it found', async () => {
  const lookup = sharing(dns.lookup);
  const one = await new Promise((resolve) => lookup('localhost', (error, address) => resolve(error ?? address)));
  const all = await new Promise((resolve) =>
    lookup('localhost', { all: true }, (error, found) => resolve(error ?? found)),
  );
  const promised = await new Promise((resolve) =>
    dns.lookup('localhost', (error, address) => resolve(error ?? address)),
  );
  expect(one).toBe(promised);
  expect(all).toContainEqual(expect.objectContaining({ address: promised }));
});
