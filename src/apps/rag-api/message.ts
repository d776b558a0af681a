import { z } from 'zod';
import { cleanText } from '../../rag/normalise.js';
import type { RagApiSettings } from './settings.js';

/** Longest name of a user, in characters. */
const USER_NAME_CHARACTERS = 64;

/** The body of a question. Unknown fields are ignored, as clients of the first version of this API send some. */
export function messageSchema({ courses, limits }: RagApiSettings) {
  return z.object({
    message: z
      .string()
      .refine((text) => cleanText(text).trim() !== '', 'is empty')
      .refine(
        (text) => [...text].length <= limits.messageCharacters,
        `is longer than ${limits.messageCharacters} characters`,
      ),
    user_name: z
      .string()
      .min(1, 'is empty')
      .refine((name) => [...name].length <= USER_NAME_CHARACTERS, `is longer than ${USER_NAME_CHARACTERS} characters`)
      // Letters, digits, punctuation, symbols and spaces; nothing invisible that makes two names look like one.
      .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u, 'has a character that cannot be printed'),
    course: z.string().refine((course) => courses.includes(course), 'is not a course of this service'),
  });
}

export type Message = z.output<ReturnType<typeof messageSchema>>;
