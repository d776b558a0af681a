import { z } from 'zod';
import { cleanText } from '../../rag/normalise.js';
import type { RagApiSettings } from './settings.js';
import { userName } from './user-name.js';

/** Most messages of a conversation that a question may bring; how much of them is used is a matter of room. */
export const HISTORY_MESSAGES = 20;

/** A character that is left of a text when it was cleaned and trimmed, for readers of the API's description. */
const VISIBLE =
  '[^\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\ufeff]';

/** A question of so many characters at most. */
export const questionText = (characters: number) =>
  z
    .string()
    .refine((text) => cleanText(text).trim() !== '', 'is empty')
    .refine((text) => [...text].length <= characters, `is longer than ${characters} characters`)
    .meta({ minLength: 1, maxLength: characters, pattern: VISIBLE, description: 'The question' });

/** The name of a course that can be asked about. */
export const courseName = (courses: readonly string[]) =>
  z
    .string()
    .refine((course) => courses.includes(course), 'is not a course of this service')
    .meta({ enum: [...courses], description: 'Whose passages are searched' });

/**
 * The body of a question. Unknown fields are ignored, as clients of the first version of this API send some.
 * What `meta` says is what the checks beside it check, in the words of JSON Schema.
 */
export function messageSchema({ courses, limits }: Pick<RagApiSettings, 'courses' | 'limits'>) {
  return z.object({
    message: questionText(limits.messageCharacters),
    user_name: userName,
    course: courseName(courses),
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
