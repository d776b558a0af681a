import type { FastifyServerOptions } from 'fastify';

interface LoggedError {
  readonly [key: string]: unknown;
  type: string;
  message: string;
  stack: string;
}

/** How many causes of an error are logged. */
const CAUSES = 4;

/** JSON lines with level names and ISO times; errors are cut down to what cannot hold a user's text. */
export function loggerOptions(level = 'info'): Exclude<FastifyServerOptions['logger'], boolean | undefined> {
  return {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error, CAUSES) },
    // Nothing logs headers today; a line that does must not log the key.
    redact: ['*.headers.authorization', 'headers.authorization'],
  };
}

/**
 * Type, message, code and causes. Other fields are left out: PostgreSQL's errors carry the row that was refused, with
 * the question in it.
 */
function describeError(error: unknown, causes: number): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error), stack: '' };
  // JSON.parse quotes what it could not read, which may be what a user asked or a model answered.
  if (error instanceof SyntaxError) return { type: error.name, message: 'not shown: it quotes the text', stack: '' };
  const { code } = error as NodeJS.ErrnoException;
  const nested = error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause];
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(nested.length > 0 && causes > 0 ? { causes: nested.map((cause) => describeError(cause, causes - 1)) } : {}),
    stack: error.stack ?? '',
  };
}
