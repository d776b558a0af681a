import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import type { BotFinished, Receipt } from '../../web-bot/events.js';
import { CheckFailure, type ServiceChecks } from './check.js';
import { askHttp, excerptOf, expectStatus, jsonOf } from './http.js';
import type { TargetOf } from './protocol.js';

const HANDSHAKE_MS = 8000;

const Session = z.object({ token: z.string() });

interface BotEvents {
  bot_typing: (event: { message_id: string; typing: boolean }) => void;
  bot_chunk: (event: { message_id: string; seq: number; text: string }) => void;
  bot_finished: (event: BotFinished) => void;
}
type BotSocket = Socket<
  BotEvents,
  { send_message: (question: object, acknowledge: (receipt: Receipt) => void) => void }
>;

/** The chat page and its handshake; a question is asked by the path. */
export function webBotChecks({ id, needs, url }: TargetOf<'web-bot'>): ServiceChecks {
  return {
    id,
    needs,
    ready: async (signal) => {
      const reply = await askHttp({ url: `${url}/`, signal }, '200 and a page');
      const type = String(reply.headers['content-type'] ?? 'no content type');
      if (reply.status === 200 && type.startsWith('text/html') && reply.text.trim() !== '') return;
      const came = `${excerptOf(reply)} (${type})`;
      throw new CheckFailure({ asked: reply.asked, expected: '200 and a page', came });
    },
    checks: [
      {
        name: 'Socket.IO handshake',
        seconds: 15,
        run: async (signal) => {
          const socket = await connect(url, signal);
          socket.disconnect();
        },
      },
    ],
  };
}

/** What the chat said to one question. */
export interface ChatAnswer {
  readonly text: string;
  readonly chunks: number;
  readonly finished: BotFinished;
}

/** One question, and who asks it. */
export interface SmokeQuestion {
  readonly message: string;
  readonly user: string;
  readonly course: string;
}

/** Ask in the chat, as its page does. Throws unless the answer ended well. */
export async function askInChat(
  url: string,
  { message, user, course }: SmokeQuestion,
  signal: AbortSignal,
): Promise<ChatAnswer> {
  const asked = `send_message '${message}' at ${url}`;
  const expected = 'bot_typing, bot_chunk …, bot_finished with ok: true';
  const fail = (came: string) => new CheckFailure({ asked, expected, came });
  const socket = await connect(url, signal);
  try {
    const id = randomUUID();
    let text = '';
    let chunks = 0;
    let typing = false;
    let gap: string | undefined;
    socket.on('bot_typing', (event) => {
      if (event.message_id === id && event.typing) typing = true;
    });
    socket.on('bot_chunk', (event) => {
      if (event.message_id !== id) return;
      if (event.seq !== chunks) gap ??= `chunk ${event.seq} where ${chunks} was due`;
      chunks += 1;
      text += event.text;
    });
    const finishing = new Promise<BotFinished>((resolve, reject) => {
      socket.on('bot_finished', (event) => {
        if (event.message_id === id) resolve(event);
      });
      socket.on('disconnect', (reason) =>
        reject(fail(`${chunks} chunks, and then the connection was lost: ${reason}`)),
      );
      signal.addEventListener('abort', () => reject(fail(`${chunks} chunks, and no bot_finished in time`)), {
        once: true,
      });
    });
    finishing.catch(() => undefined);
    const receipt = await new Promise<Receipt>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(fail('no receipt in time')), { once: true });
      socket.emit('send_message', { message, user_name: user, course, message_id: id }, resolve);
    });
    if (!receipt.ok) throw fail(`refused: ${receipt.code}`);
    const finished = await finishing;
    if (!finished.ok) throw fail(`bot_finished with ok: false, ${finished.reason}: ${finished.text ?? ''}`);
    if (gap !== undefined) throw fail(gap);
    if (!typing) throw fail('an answer without bot_typing');
    if (text.trim() === '') throw fail('bot_finished with ok: true, and no text');
    return { text, chunks, finished };
  } finally {
    socket.disconnect();
  }
}

async function connect(url: string, signal: AbortSignal): Promise<BotSocket> {
  const socket: BotSocket = io(url, {
    auth: { token: await sessionToken(url, signal) },
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    timeout: HANDSHAKE_MS,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('connect', resolve);
      socket.on('connect_error', reject);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return socket;
  } catch (cause) {
    socket.disconnect();
    const reason = (cause as { description?: { message?: string } }).description?.message ?? (cause as Error).message;
    const finding = { asked: `a Socket.IO handshake at ${url}`, expected: 'a connection', came: reason };
    throw new CheckFailure(finding, { cause });
  }
}

/** What opens the chat, as its page gets it. */
async function sessionToken(url: string, signal: AbortSignal): Promise<string> {
  const expected = '200 and a token';
  const reply = await askHttp({ url: `${url}/session`, signal }, expected);
  expectStatus(reply, 200);
  const session = Session.safeParse(jsonOf(reply, 'a session token'));
  if (session.success) return session.data.token;
  // Not what came: it may be most of a token.
  throw new CheckFailure({ asked: reply.asked, expected, came: '200, and something else' });
}
