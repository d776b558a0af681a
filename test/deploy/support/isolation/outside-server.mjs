// What is outside: a server that takes connections on port 8099, and one that gives every name the address 192.0.2.1.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const names = createSocket('udp4');
names.on('message', (query, { port, address }) => {
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const header = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 1]);
  names.send(Buffer.concat([header, question, answer]), port, address);
});
names.bind(53, '0.0.0.0', () => {
  createServer((socket) => socket.end()).listen(8099, '0.0.0.0', () => process.stdout.write('ready\n'));
});
