/** Lines of text with every column as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** What the first column says of a row that is as it has to be. */
export const RIGHT = 'right';

/** Print a table of verdicts, with how many of them are right. @param what what its rows are */
export function tell(head: readonly string[], rows: readonly (readonly string[])[], what: string): void {
  const right = rows.filter(([verdict]) => verdict === RIGHT).length;
  process.stdout.write(
    `\n${table(head, rows)}\n${rows.length} ${what}: ${right} right, ${rows.length - right} wrong\n`,
  );
}
