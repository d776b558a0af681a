import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { loggerOptions } from '../../../src/apps/rag-api/logger.js';

function capture(level?: string) {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) };
  const { log } = Fastify({ logger: { ...loggerOptions(level), stream } });
  return { log, lines };
}

describe('the log', () => {
  test('is JSON with a level by name and a time in ISO 8601', () => {
    const { log, lines } = capture();
    log.warn({ requestId: 'r' }, 'degraded');
    expect(lines).toEqual([
      { level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), requestId: 'r', msg: 'degraded' },
    ]);
  });

  test('has of an error its type, message, code and causes, and not the row that PostgreSQL refused', () => {
    const { log, lines } = capture();
    const refused = Object.assign(new Error('new row violates check constraint'), {
      code: '23514',
      detail: 'Failing row contains (Секретный вопрос).',
      parameters: ['Секретный вопрос'],
    });
    log.error({ err: new Error('not saved', { cause: new AggregateError([refused], 'several') }) }, 'lost');
    expect(JSON.stringify(lines)).not.toContain('Секретный');
    expect(lines[0]?.err).toMatchObject({
      message: 'not saved',
      causes: [{ message: 'several', causes: [{ message: 'new row violates check constraint', code: '23514' }] }],
    });
  });

  test('does not have the text that is not JSON, which JSON.parse quotes', () => {
    const { log, lines } = capture();
    let unreadable: unknown;
    try {
      JSON.parse('Секретный вопрос');
    } catch (error) {
      unreadable = error;
    }
    log.error({ err: new Error('no event', { cause: unreadable }) }, 'failed');
    expect(JSON.stringify(lines)).not.toContain('Секретный');
    expect(lines[0]?.err).toMatchObject({ message: 'no event', causes: [{ type: 'SyntaxError' }] });
  });

  test('masks a key in headers', () => {
    const { log, lines } = capture();
    log.info({ headers: { authorization: 'Bearer hunter2' }, req: { headers: { authorization: 'Bearer hunter2' } } });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  test('says as much as it is told to', () => {
    const { log, lines } = capture('error');
    log.info('not this');
    log.error('this');
    expect(lines.map(({ msg }) => msg)).toEqual(['this']);
  });
});
