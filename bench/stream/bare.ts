import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { serveUsage } from './protocol.js';

// A server that does nothing: it asks the model what it was asked, and lets the answer through as it is. What it costs is
// the price of one more process between a client and a model, on this machine and at this time. The argument is the
// address of the model.

const [modelUrl = ''] = process.argv.slice(2);
const dispatcher = new Agent({ connections: null, keepAliveTimeout: 4000, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer(async (asked, response) => {
  const { headers, body } = await request(`${modelUrl}${asked.url}`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: asked,
  });
  response.writeHead(200, { 'content-type': String(headers['content-type']) });
  body.pipe(response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
serveUsage();
