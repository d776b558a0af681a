import type { CST } from 'yaml';

/** Every token of a file with its depth, without recursion: a file may nest deeper than the stack is high. */
export function* walkTokens(tokens: readonly CST.Token[]): Generator<{ token: CST.Token; depth: number }> {
  const pending = tokens.map((token) => ({ token, depth: 0 })).reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    yield next;
    const { token, depth } = next;
    if (token.type === 'document' && token.value) pending.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items.toReversed()) {
      if (item.value) pending.push({ token: item.value, depth: depth + 1 });
      if (item.key) pending.push({ token: item.key, depth: depth + 1 });
    }
  }
}

/** Where the nesting first goes below `limit` levels. */
export function offsetBelow(tokens: readonly CST.Token[], limit: number): number | undefined {
  for (const { token, depth } of walkTokens(tokens)) if (depth > limit) return token.offset;
  return undefined;
}

/** Where the last quoted text before `offset` starts. */
export function quoteBefore(tokens: readonly CST.Token[], offset: number): number | undefined {
  let found: number | undefined;
  for (const { token } of walkTokens(tokens)) {
    const quoted = token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar';
    if (quoted && token.offset <= offset) found = token.offset;
  }
  return found;
}
