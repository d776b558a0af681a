import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Script, serveUsage, TOKEN } from './protocol.js';

// An OpenAI server that says what it is told, at the pace it is told, as a process of its own.

const event = (data: object): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'bench', ...data })}\n\n`;
const delta = (content: object, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta: content, logprobs: null, finish_reason: finish }] });

const ROLE = delta({ role: 'assistant', content: '' });
const WORD = delta({ content: TOKEN });
const end = (tokens: number): string =>
  `${delta({}, 'stop')}${event({ choices: [], usage: { prompt_tokens: 500, completion_tokens: tokens } })}data: [DONE]\n\n`;

let script: Script = { firstMs: 0, intervalMs: 0, tokens: 1 };

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.once('end', () => {
    if (request.url === '/v1/chat/completions') answer(response, script);
    else if (request.url === '/v1/models') reply(response, { data: [{ id: 'bench', max_model_len: 8192 }] });
    else if (request.url === '/tokenize') reply(response, tokenised(Buffer.concat(parts)));
    else response.writeHead(404).end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
serveUsage((next) => {
  script = next;
});

function reply(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** As many tokens as a multilingual tokenizer makes of a Russian text, about. */
function tokenised(body: Buffer): object {
  const { prompt } = JSON.parse(body.toString()) as { prompt: string };
  return { count: Math.ceil(prompt.length / 3), tokens: [] };
}

function answer(response: ServerResponse, { firstMs, intervalMs, tokens }: Script): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  setTimeout(() => {
    if (intervalMs === 0) {
      response.end(ROLE + WORD.repeat(tokens) + end(tokens));
      return;
    }
    response.write(ROLE + WORD);
    let said = 1;
    const timer = setInterval(() => {
      said += 1;
      if (said <= tokens) response.write(WORD);
      if (said < tokens) return;
      clearInterval(timer);
      response.end(end(tokens));
    }, intervalMs);
    response.once('close', () => clearInterval(timer));
  }, firstMs);
}
