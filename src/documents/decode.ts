import { DocumentFault } from './fault.js';

const UTF8_BOM = [0xef, 0xbb, 0xbf];
const BOMS: readonly (readonly [string, readonly number[]])[] = [
  ['utf-8', UTF8_BOM],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** How far into a page its encoding may be declared, in bytes; the HTML standard says 1024, and pages are worse than it. */
const DECLARATION_BYTES = 4096;

/** `<meta charset="…">`, `<meta … content="text/html; charset=…">`, `<?xml … encoding="…"?>`. */
const DECLARATION = /<(?:meta\b[^>]{0,500}?\bcharset|\?xml\b[^>]{0,500}?\bencoding)\s*=\s*["']?\s*([\w.:-]{1,40})/i;

/**
 * Text of UTF-8, or of what a byte order mark says. Nothing is guessed: text in a wrong encoding would be searched, and
 * quoted, as rubbish.
 *
 * @throws DocumentFault DOCUMENT_ENCODING, DOCUMENT_DAMAGED for what is no text
 */
export function decodeText(bytes: Uint8Array): string {
  const [encoding] = markOf(bytes) ?? ['utf-8'];
  return decodeAs(encoding, bytes);
}

/**
 * Text of a page: in the encoding of its byte order mark, else in the one it declares, else UTF-8.
 *
 * @throws DocumentFault DOCUMENT_ENCODING, DOCUMENT_DAMAGED for what is no text
 */
export function decodePage(bytes: Uint8Array): string {
  const marked = markOf(bytes)?.[0];
  if (marked !== undefined) return decodeAs(marked, bytes);
  const declared = DECLARATION.exec(Buffer.from(bytes.subarray(0, DECLARATION_BYTES)).toString('latin1'))?.[1];
  // A page that could be read as far as its declaration is not UTF-16, whatever that says.
  if (declared === undefined || /^utf-?16/i.test(declared)) return decodeAs('utf-8', bytes);
  return decodeAs(declared, bytes);
}

function markOf(bytes: Uint8Array) {
  return BOMS.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte));
}

function decodeAs(encoding: string, bytes: Uint8Array): string {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new DocumentFault('DOCUMENT_ENCODING', `declares the encoding ${encoding}, which is not known`, undefined, {
      cause,
    });
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw wrongEncoding(decoder.encoding, bytes, cause);
  }
  if (text.includes('\0')) throw new DocumentFault('DOCUMENT_DAMAGED', 'holds binary data and is no text');
  return text;
}

function wrongEncoding(encoding: string, bytes: Uint8Array, cause: unknown): DocumentFault {
  if (bytes.includes(0)) return new DocumentFault('DOCUMENT_DAMAGED', 'holds binary data and is no text');
  if (encoding === 'utf-8' && isLikelyRussian(bytes)) {
    return new DocumentFault(
      'DOCUMENT_ENCODING',
      'is not UTF-8; it may be windows-1251',
      'Look at what `iconv -f windows-1251 -t utf-8 FILE` prints, and save that when it is readable.',
      { cause },
    );
  }
  return new DocumentFault('DOCUMENT_ENCODING', `is not ${encoding === 'utf-8' ? 'UTF-8' : encoding} text`, undefined, {
    cause,
  });
}

/** Whether most bytes above ASCII are the lower-case letters of windows-1251. */
function isLikelyRussian(bytes: Uint8Array): boolean {
  let letters = 0;
  let high = 0;
  for (const byte of bytes.subarray(0, 100_000)) {
    if (byte >= 0x80) high += 1;
    if (byte >= 0xe0) letters += 1;
  }
  return high > 10 && letters / high > 0.6;
}
