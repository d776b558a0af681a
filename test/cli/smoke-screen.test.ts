import { expect, test } from 'vitest';
import { SmokeScreen } from '../../src/cli/smoke-screen.js';

test('where there is no terminal, what is waited for is a line that can do nothing to one that shows it later', () => {
  let written = '';
  const output = {
    write: (text: string) => {
      written += text;
    },
    isTTY: false,
    colour: false,
  };
  const screen = new SmokeScreen(output, output, ['llm-main']);
  screen.waiting(new Map([['llm-main', '503 \u001b]0;title\u0007Loading\nmodel']]));

  expect(written).toBe(`waiting  ${'llm-main'.padEnd(18)}  503 ]0;titleLoading model\n`);
});
