import { z } from 'zod';
import { cleanText } from '../../rag/normalise.js';
import { FEEDBACK_VALUES, type HistoryCursor } from '../../rag/ports.js';
import { courseName } from './message.js';
import type { RagApiSettings } from './settings.js';
import { userName } from './user-name.js';

/** Most exchanges of one page, and how many without a word about it. */
const PAGE = { most: 100, usual: 20 } as const;

const CURSOR = /^(\d{1,17})_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The body of a feedback. Unknown fields are ignored. */
export function feedbackSchema({ limits }: Pick<RagApiSettings, 'limits'>) {
  const { commentCharacters } = limits;
  return z.object({
    value: z.enum(FEEDBACK_VALUES).describe('What the user thought; the last word counts'),
    comment: z
      .string()
      .refine((text) => [...text].length <= commentCharacters, `is longer than ${commentCharacters} characters`)
      .transform((text) => cleanText(text).trim() || undefined)
      .optional()
      .meta({ maxLength: commentCharacters, description: 'Kept with the exchange' }),
  });
}

/** The query of a list. Unknown parameters are ignored. */
export function historySchema({ courses }: Pick<RagApiSettings, 'courses'>) {
  return z.object({
    user_name: userName,
    course: courseName(courses).optional(),
    limit: z
      .string()
      .regex(/^\d{1,3}$/, 'is not a number')
      .transform(Number)
      .refine((limit) => limit >= 1 && limit <= PAGE.most, `is not from 1 to ${PAGE.most}`)
      .default(PAGE.usual)
      .meta({ type: 'integer', minimum: 1, maximum: PAGE.most, default: PAGE.usual }),
    before: z
      .string()
      .regex(CURSOR, 'is not a cursor of this service')
      .meta({ pattern: CURSOR.source, description: 'What `next` of a page says: gives the page after it' })
      .optional(),
  });
}

export function cursorOf(text: string): HistoryCursor {
  const [, micros, id] = CURSOR.exec(text) ?? [];
  if (micros === undefined || id === undefined) throw new TypeError(`${text} is no cursor`);
  return { micros, id };
}

export const cursorText = ({ micros, id }: HistoryCursor): string => `${micros}_${id}`;

/** The path of an erasure. */
export const userSchema = z.object({ name: userName });
