/** A doc comment in its parts, as Markdown. */
export interface Comment {
  readonly text: string;
  readonly params: readonly { readonly name: string; readonly text: string }[];
  readonly returns: string | undefined;
  readonly throws: readonly string[];
  readonly defaultsTo: string | undefined;
}

/** What API Extractor writes where a constructor has no comment, and above the one that it has. */
const CONSTRUCTOR = /Constructs a new instance of the `\w+` class/;

export function parseComment(comment: string): Comment {
  const body = comment
    .replace(/^\/\*\*|\*\/\s*$/g, '')
    .replace(/^[ ]*\* ?/gm, '')
    .replace(CONSTRUCTOR, '');
  const [text = '', ...rest] = body.split(/(?:^|\s)@(param|returns|throws|default)\b/);
  const tags = rest.flatMap((tag, index) => (index % 2 === 0 ? [{ tag, text: inline(rest[index + 1] ?? '') }] : []));
  const all = (wanted: string): string[] => tags.filter(({ tag }) => tag === wanted).map((it) => it.text);
  const params = tags.flatMap(({ tag, text: described }, index) => {
    if (tag !== 'param') return [];
    const [name = '', ...words] = described.split(' ');
    const after = tags[index + 1];
    const preset = after?.tag === 'default' ? `default: ${withoutDash(after.text)}` : '';
    return [{ name, text: [withoutDash(words.join(' ')), preset].filter((part) => part !== '').join('; ') }];
  });
  return {
    text: escaped(text.trim()),
    params,
    returns: all('returns')[0],
    throws: all('throws'),
    defaultsTo: params.length === 0 ? all('default').map(withoutDash)[0] : undefined,
  };
}

/** A text of several lines on one. */
const inline = (text: string): string => escaped(text.trim().replace(/\s+/g, ' '));

const withoutDash = (text: string): string => text.replace(/^- ?/, '');

/** Outside of code, a `<` would open an element that no page shows. */
const escaped = (text: string): string => text.replace(/`[^`]*`|</g, (part) => (part === '<' ? '\\<' : part));
