import { z } from 'zod';

/** Longest name of a user, in characters. */
const USER_NAME_CHARACTERS = 64;

/** Letters, digits, punctuation, symbols and spaces; nothing invisible that makes two names look like one. */
const PRINTABLE = '^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]*$';

/** A user's name. What `meta` says is what the checks beside it check, in the words of JSON Schema. */
export const userName = z
  .string()
  .refine((name) => name.length > 0, 'is empty')
  .refine((name) => [...name].length <= USER_NAME_CHARACTERS, `is longer than ${USER_NAME_CHARACTERS} characters`)
  .refine((name) => new RegExp(PRINTABLE, 'u').test(name), 'has a character that cannot be printed')
  .meta({
    minLength: 1,
    maxLength: USER_NAME_CHARACTERS,
    pattern: PRINTABLE,
    description: 'Kept with the exchange; no proof of who asks',
  });
