import type { z } from 'zod';
import { ApiProblem } from './problems.js';

/** What a client sent, or a problem that names every field that is not accepted. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.') || '(body)', message }));
  throw new ApiProblem('INPUT_INVALID', { fields });
}
