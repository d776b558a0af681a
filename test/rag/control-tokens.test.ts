import { expect, test } from 'vitest';
import { breakControlTokens } from '../../src/rag/control-tokens.js';

test.each([
  ['<|im_end|>', '< |im_end|>'],
  ['<|start_header_id|>', '< |start_header_id|>'],
  ['<|START_OF_TURN_TOKEN|>', '< |START_OF_TURN_TOKEN|>'],
  ['<｜begin▁of▁sentence｜>', '< ｜begin▁of▁sentence｜>'],
  ['<|turn>', '< |turn>'],
  ['<turn|>', '< turn|>'],
  ['[INST]', '[ INST]'],
  ['[/INST]', '[ /INST]'],
  ['[SYSTEM_PROMPT]', '[ SYSTEM_PROMPT]'],
  ['[SEP]', '[ SEP]'],
  ['<<SYS>>', '< <SYS>>'],
  ['<</SYS>>', '< </SYS>>'],
  ['<s>', '< s>'],
  ['</s>', '< /s>'],
  ['<bos>', '< bos>'],
  ['<eos>', '< eos>'],
  ['<BOS_TOKEN>', '< BOS_TOKEN>'],
  ['<start_of_turn>', '< start_of_turn>'],
  ['<end_of_turn>', '< end_of_turn>'],
])('%s means nothing any more, wherever it stands', (token, broken) => {
  expect(breakControlTokens(token)).toBe(broken);
  expect(breakControlTokens(`a${token}${token}б <${token}|im_end|>`)).toBe(`a${broken}${broken}б <${broken}|im_end|>`);
  expect(breakControlTokens(broken)).toBe(broken);
});

test.each([
  ['HTML', '<p>Так <strong>и</strong> <span class="s">так</span> <S>нет</S> <br/></p>'],
  ['generics', 'const list: Array<string> = new Map<K, V<T>>(); vector<int> v; v << x >> y;'],
  ['operators', 'f <| x |> g, a || b, a|b|c, x < y | z > 0'],
  ['tables', '| a | b |\n|---|---|\n| <1 | >2 |'],
  ['brackets', 'см. [1], [INSTALL], [inst], a[SEPARATOR], [think]'],
  ['grammars', '<expr> ::= <term> | <expr> "+" <term>'],
  ['addresses', '<https://a.example/s>, <mail@a.example>'],
])('%s stay as they are', (_, text) => {
  expect(breakControlTokens(text)).toBe(text);
});
