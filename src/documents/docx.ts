import type { ParsedDocument } from '../rag/ingest/sections.js';
import { DocumentFault } from './fault.js';
import { parseHtml } from './html.js';
import { limitUnpacked } from './zip.js';

/** Most bytes of XML in one document, unpacked: their tree takes 50 times as much (measured). */
const LARGEST_XML = 16 * 1024 * 1024;

/** First bytes of the older kind of file, which also wraps encrypted documents. */
const COMPOUND_FILE = Buffer.from([0xd0, 0xcf, 0x11, 0xe0]);

/**
 * Sections of a document of Word: its headings, lists, tables and footnotes. The title is its paragraph of the style
 * Title, the first heading of level 1, or `fallback`.
 *
 * @throws DocumentFault DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED, DOCUMENT_TOO_LARGE
 */
export async function parseDocx(bytes: Buffer, fallback: string): Promise<ParsedDocument> {
  if (bytes.subarray(0, 4).equals(COMPOUND_FILE)) throw compoundFile(bytes);
  limitUnpacked(bytes, (name) => /\.(xml|rels)$/i.test(name), LARGEST_XML);
  const { default: mammoth } = await import('mammoth');
  const options = {
    styleMap: ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"],
    // Pictures are left in the archive; what stands for them is their description.
    convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
    ignoreEmptyParagraphs: true,
    externalFileAccess: false,
  };
  let html: string;
  try {
    ({ value: html } = await mammoth.convertToHtml({ buffer: bytes }, options));
  } catch (cause) {
    throw new DocumentFault('DOCUMENT_DAMAGED', `is no document of Word: ${(cause as Error).message}`, undefined, {
      cause,
    });
  }
  // Each footnote ends with a link back to its mark.
  return parseHtml(html.replace(/<a href="#[^"<>]*-ref-[^"<>]*">↑<\/a>/g, ''), fallback);
}

function compoundFile(bytes: Buffer): DocumentFault {
  if (bytes.includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    return new DocumentFault('DOCUMENT_ENCRYPTED', 'opens with a password only');
  }
  const remedy = 'Open it and save it as a Word document (.docx).';
  return new DocumentFault('DOCUMENT_DAMAGED', 'is a document of Word 97 to 2003 under a newer name', remedy);
}
