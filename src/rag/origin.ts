/** Where a passage stands: the title of its document and the headings above it, for a reader, a model or an index. */
export function originOf({ title, heading }: { readonly title: string; readonly heading: string }): string {
  // The title often is the outermost heading; saying it twice would count its words twice.
  if (heading === title || heading.startsWith(`${title} > `)) return heading;
  return [title, heading].filter((part) => part !== '').join(' > ');
}

/** What a passage is found by, by words and by vectors alike. */
export function searchedText(passage: {
  readonly title: string;
  readonly heading: string;
  readonly text: string;
}): string {
  return `${originOf(passage)}\n${passage.text}`;
}
