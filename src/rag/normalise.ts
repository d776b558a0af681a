/** Characters that are invisible and change what a model or an index reads: zero-width, direction and tag characters. */
const INVISIBLE = /[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF\u{E0000}-\u{E007F}]/gu;

/** Control characters other than tab, line feed and carriage return. PostgreSQL refuses NUL in text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g;

/** Halves of surrogate pairs that lost their other half; UTF-8 and jsonb cannot hold them. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * Text as it is kept and shown: NFC, line feeds, and nothing invisible. Joiners inside emoji are lost with the
 * other zero-width characters; hidden instructions are the worse evil.
 */
export function cleanText(text: string): string {
  return text
    .replace(LONE_SURROGATE, '\uFFFD')
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(INVISIBLE, '')
    .replace(CONTROL, '');
}

/**
 * Text as it is searched, on both sides: clean, one space between words, and ё written as е, which BM25 would
 * otherwise take for another letter.
 */
export function searchText(text: string): string {
  return cleanText(text).replace(/ё/g, 'е').replace(/Ё/g, 'Е').replace(/\s+/g, ' ').trim();
}

/** What a database can store of text that came from a model. */
export function storableText(text: string): string {
  return text.replace(LONE_SURROGATE, '\uFFFD').replaceAll('\u0000', '');
}

/** Whether a text is to be read as Russian, and answered in Russian: it has a Cyrillic letter. */
export function isRussian(text: string): boolean {
  return /\p{Script=Cyrillic}/u.test(text);
}
