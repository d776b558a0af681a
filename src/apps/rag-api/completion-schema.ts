import { z } from 'zod';
import { cleanText } from '../../rag/normalise.js';
import type { ChatMessage } from '../../rag/ports.js';
import { HISTORY_MESSAGES, questionText } from './message.js';
import type { RagApiSettings } from './settings.js';
import { userName } from './user-name.js';

/** Who is on record where the client does not say whom it asks for. */
const NOBODY = 'anonymous';

/**
 * Largest body of a completion, in KiB. Clients of the protocol send all that was said each time, so that a conversation
 * would end at the limit of a single question; this is a hundred long answers, and beyond what any prompt has room for.
 */
export const COMPLETION_BODY_KIB = 1024;

/** Most characters of it that become the conversation: all the rest of the way to the prompt takes time for each of them. */
const HISTORY_CHARACTERS = 128 * 1024;

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const;

const NO_TEXT = 'is neither text nor a list of parts of text';

const Part = z
  .object({
    type: z.string().describe('`text`; parts of another type are ignored before the question'),
    text: z.string().optional(),
  })
  .refine(({ type, text }) => type !== 'text' || text !== undefined, { path: ['text'], error: 'is missing' });

const Message = z.object({
  role: z
    .enum(ROLES, `is none of ${ROLES.join(', ')}`)
    .describe('Messages of others than user and assistant are ignored'),
  content: z
    .union([z.string(), z.array(Part)], NO_TEXT)
    .nullish()
    .describe('Messages without any are ignored, as those of an assistant are that calls tools'),
});
type Message = z.output<typeof Message>;

/** What a completion was asked for. */
export interface AskedCompletion {
  readonly model: string;
  readonly message: string;
  /** The last of what was said before, without messages of the system. */
  readonly history: readonly ChatMessage[];
  readonly userName: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/**
 * The body of a completion, of the OpenAI protocol. Fields that are not listed are ignored: how the model samples, and
 * what it is told first, are settings of the stack.
 */
export function completionSchema({ courses, limits }: Pick<RagApiSettings, 'courses' | 'limits'>) {
  const question = questionText(limits.messageCharacters);
  return z
    .object({
      model: z.string().meta({ description: 'The course that is asked about', examples: [...courses] }),
      messages: z
        .array(Message)
        .min(1, 'is empty')
        .describe(
          `The last one is the question, and the user’s; the ${HISTORY_MESSAGES} before it, of ${HISTORY_CHARACTERS} characters at most, are the conversation, and older ones are ignored`,
        ),
      stream: z.boolean().nullish().describe('Whether the answer comes as server-sent events'),
      stream_options: z
        .object({
          include_usage: z.boolean().nullish().describe('Whether the last event before the end has the usage'),
        })
        .nullish(),
      user: userName.nullish(),
    })
    .superRefine(({ messages }, context) => {
      const at = messages.length - 1;
      const last = messages[at];
      if (last === undefined) return;
      if (last.role !== 'user') {
        const message = "the last message is not the user's";
        context.addIssue({ code: 'custom', path: ['messages', at, 'role'], message });
      }
      for (const message of contentProblems(last, question)) {
        context.addIssue({ code: 'custom', path: ['messages', at, 'content'], message });
      }
    })
    .transform(({ model, messages, stream, stream_options, user }): AskedCompletion => {
      // Clients send all that was said, however long ago; a prompt would have no room for it.
      const said = conversationOf(messages.slice(0, -1));
      const message = textOf(messages.at(-1) as Message);
      const includeUsage = stream_options?.include_usage === true;
      return { model, message, history: said, userName: user ?? NOBODY, stream: stream === true, includeUsage };
    });
}

/** The last messages of a conversation, as many as are of use. What is older costs nothing: bodies are large. */
function conversationOf(messages: readonly Message[]): readonly ChatMessage[] {
  const said: ChatMessage[] = [];
  let left = HISTORY_CHARACTERS;
  for (let at = messages.length - 1; at >= 0 && said.length < HISTORY_MESSAGES; at -= 1) {
    const message = messages[at] as Message;
    const { role } = message;
    if (role !== 'user' && role !== 'assistant') continue;
    const text = textOf(message);
    left -= text.length;
    if (left < 0) break;
    const content = cleanText(text).trim();
    if (content !== '') said.push({ role, content });
  }
  return said.reverse();
}

/** Why a question is none. An image that was sent earlier must not end its conversation; in the question it is asked about. */
function contentProblems(message: Message, question: z.ZodType<string>): readonly string[] {
  const { content } = message;
  if (content == null) return [NO_TEXT];
  if (typeof content !== 'string' && content.some(({ type }) => type !== 'text')) {
    return ['has parts that are not text, and nothing else is read'];
  }
  return question.safeParse(textOf(message)).error?.issues.map((issue) => issue.message) ?? [];
}

function textOf({ content }: Message): string {
  return typeof content === 'string'
    ? content
    : (content ?? []).flatMap(({ type, text }) => (type === 'text' ? [text] : [])).join('\n');
}
