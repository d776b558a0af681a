import type { ServerResponse } from 'node:http';
import type { Handler } from './http-server.js';

/** Server-sent events of an OpenAI server, as text; what a test streams. */
export const events = {
  role: () => event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }),
  text: (content: string) => event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
  finish: (reason = 'stop') => event({ choices: [{ index: 0, delta: {}, finish_reason: reason }] }),
  usage: (prompt: number, completion: number) =>
    event({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion } }),
  error: (message: string) => event({ error: { message, type: 'InternalServerError', param: null, code: 500 } }),
  done: () => 'data: [DONE]\n\n',
  keepAlive: () => ': keep-alive\n\n',
};

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Streams these texts as an answer that is complete, each in a write of its own. */
export function answering(...texts: string[]): Handler {
  return streaming(
    events.role(),
    ...texts.map(events.text),
    events.finish(),
    events.usage(7, texts.length),
    events.done(),
  );
}

/** Streams these pieces and ends the body; a piece may also be something to wait for. */
export function streaming(...pieces: (string | Promise<unknown>)[]): Handler {
  return async (_request, response) => {
    openStream(response);
    for (const piece of pieces) {
      if (typeof piece === 'string') response.write(piece);
      else await piece;
    }
    response.end();
  };
}

/** Streams these pieces and then stays silent. */
export function stalling(...pieces: string[]): Handler {
  return (_request, response) => {
    openStream(response);
    for (const piece of pieces) response.write(piece);
  };
}

export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
}
