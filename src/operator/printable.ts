// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/**
 * Text of others (an answer, a document, a log) as a terminal may show it: line feeds and tabs stay, everything that
 * could move the cursor, set a title or answer for the user goes.
 */
export const printable = (text: string): string => text.replace(CONTROL, '');
