/**
 * Names between angle brackets by which models know where a text, or somebody's turn, begins and ends. `<s>` is also how
 * HTML strikes text through: the model server cannot tell them apart, and no place in a text is safe for it.
 */
const NAMES = [
  '/?s',
  'bos|eos|pad|unk',
  '(?:BOS|EOS|PAD|UNK)_TOKEN',
  '(?:start|end)_of_(?:turn|image)',
  '/?(?:start|end)_of_text',
  '(?:begin|end)_of_(?:text|sentence|solution)',
];

/** The same in square brackets, as Mistral's models have them, and `[SEP]` of YandexGPT. */
const BRACKETED = 'INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|THINK|SEP';

/**
 * Control tokens of chat templates, as they are written: `<|im_end|>`, `<|turn>`, `<turn|>`, DeepSeek's with the wide bar,
 * and the ones with names above. None has a space in it, so that operators of programs, as in `f <| x |> g`, are none.
 */
const CONTROL_TOKEN = new RegExp(
  [
    '<[|｜][^\\s<>|｜]{1,64}[|｜]?>',
    '<[^\\s<>|｜]{1,64}[|｜]>',
    '<</?SYS>>',
    `<(?:${NAMES.join('|')})>`,
    `\\[/?(?:${BRACKETED})\\]`,
  ].join('|'),
  'g',
);

/**
 * A text for a prompt in which nothing is a control token: model servers read those in messages, too, so that a passage
 * could end the message that it stands in and begin one of the system. A space after the first character takes the meaning
 * away, and a reader still sees what stood there. For prompts only; what is kept and shown stays as it is.
 */
export function breakControlTokens(text: string): string {
  return text.replace(CONTROL_TOKEN, (token) => `${token[0]} ${token.slice(1)}`);
}
