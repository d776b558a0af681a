import { z } from 'zod';
import { cleanText } from '../../rag/normalise.js';
import type { RagApiSettings } from './settings.js';

/** Longest name of a user, in characters. */
const USER_NAME_CHARACTERS = 64;

/** Most messages of a conversation that a question may bring; how much of them is used is a matter of room. */
const HISTORY_MESSAGES = 20;

/** Letters, digits, punctuation, symbols and spaces; nothing invisible that makes two names look like one. */
const PRINTABLE = '^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]*$';

/** A character that is left of a text when it was cleaned and trimmed, for readers of the API's description. */
const VISIBLE =
  '[^\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\ufeff]';

/**
 * The body of a question. Unknown fields are ignored, as clients of the first version of this API send some.
 * What `meta` says is what the checks beside it check, in the words of JSON Schema.
 */
export function messageSchema({ courses, limits }: Pick<RagApiSettings, 'courses' | 'limits'>) {
  const { messageCharacters } = limits;
  return z.object({
    message: z
      .string()
      .refine((text) => cleanText(text).trim() !== '', 'is empty')
      .refine((text) => [...text].length <= messageCharacters, `is longer than ${messageCharacters} characters`)
      .meta({ minLength: 1, maxLength: messageCharacters, pattern: VISIBLE, description: 'The question' }),
    user_name: z
      .string()
      .refine((name) => name.length > 0, 'is empty')
      .refine((name) => [...name].length <= USER_NAME_CHARACTERS, `is longer than ${USER_NAME_CHARACTERS} characters`)
      .refine((name) => new RegExp(PRINTABLE, 'u').test(name), 'has a character that cannot be printed')
      .meta({
        minLength: 1,
        maxLength: USER_NAME_CHARACTERS,
        pattern: PRINTABLE,
        description: 'Kept with the exchange; no proof of who asks',
      }),
    course: z
      .string()
      .refine((course) => courses.includes(course), 'is not a course of this service')
      .meta({ enum: [...courses], description: 'Whose passages are searched' }),
    history: z
      .array(z.object({ role: z.enum(['user', 'assistant']), content: z.string().transform(cleanText) }))
      .max(HISTORY_MESSAGES)
      .optional()
      .meta({
        description:
          'What was said before, oldest first: questions and answers in turn; of use for a question that refers to it',
      }),
  });
}

export type Message = z.output<ReturnType<typeof messageSchema>>;
