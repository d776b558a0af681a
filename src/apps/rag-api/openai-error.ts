import { z } from 'zod';
import { type ApiProblem, PROBLEMS, type ProblemCode } from './problems.js';

/** Under these addresses errors look as clients of the OpenAI protocol expect them. */
const OPENAI_PATHS = '/v1/';

export const speaksOpenAi = (url: string): boolean => url.startsWith(OPENAI_PATHS);

/** Codes for which that protocol has names of its own; all others are ours in small letters. */
const OPENAI_CODES: Partial<Readonly<Record<ProblemCode, string>>> = {
  UNAUTHORIZED: 'invalid_api_key',
  QUESTION_TOO_LONG: 'context_length_exceeded',
  RATE_LIMITED: 'rate_limit_exceeded',
};

export const openAiCode = (code: ProblemCode): string => OPENAI_CODES[code] ?? code.toLowerCase();

/** An error as the OpenAI protocol writes it. */
export const OpenAiErrorDocument = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.enum(['invalid_request_error', 'authentication_error', 'rate_limit_error', 'server_error']),
    code: z.string().describe('The code of the problem'),
    param: z.string().nullable().describe('The first field that is not accepted'),
  }),
});
export type OpenAiErrorDocument = z.output<typeof OpenAiErrorDocument>;

export function openAiError({ code, fields }: Pick<ApiProblem, 'code' | 'fields'>): OpenAiErrorDocument {
  const { status, title } = PROBLEMS[code];
  const details = fields.map(({ field, message }) => `${field} ${message}`).join('; ');
  const message = details === '' ? title : `${title}: ${details}`;
  return { error: { message, type: typeOf(status), code: openAiCode(code), param: fields[0]?.field ?? null } };
}

function typeOf(status: number): OpenAiErrorDocument['error']['type'] {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
