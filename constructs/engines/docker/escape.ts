/**
 * Escape a literal for Terraform's JSON syntax, where every string is a template: `${` starts an interpolation and
 * `%{` a directive. cdktf leaves both alone.
 */
export function tfEscape(literal: string): string {
  return literal.replaceAll('${', '$${').replaceAll('%{', '%%{');
}
