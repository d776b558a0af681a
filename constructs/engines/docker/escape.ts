/**
 * Escape a literal for Terraform's JSON syntax, where every string is a template: `${` starts an interpolation and
 * `%{` a directive. cdktf leaves both alone.
 *
 * By functions, because `$$` in a replacement string stands for one `$`.
 */
export function tfEscape(literal: string): string {
  return literal.replaceAll('${', () => '$${').replaceAll('%{', () => '%%{');
}
