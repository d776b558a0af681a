// Runs in the network of somebody else (nsenter, ip netns exec), with this machine's own files. Reads
// {timeoutMs, targets: [{id, kind: 'tcp' | 'dns', host, port}]} from stdin and writes {ID: outcome}.
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';

const { timeoutMs, targets } = await json(process.stdin);

const tcp = ({ host, port }) =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(end, timeoutMs, 'timeout');
    socket.once('connect', () => end('open'));
    socket.once('error', ({ code }) => end(code));
  });

// Why no packet can go there at all; undefined where one can.
const noWay = (host, port) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.connect(port, host, (error) => {
      socket.close();
      resolve(error?.code);
    });
  });

// That there is no such name is an answer, too.
const dns = async ({ host, port, name }) => {
  // To the resolver a packet that could not be sent is the same as one that was refused.
  const failure = await noWay(host, port);
  if (failure) return failure;
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([`${host}:${port}`]);
  try {
    await resolver.resolve4(name);
    return 'open';
  } catch ({ code }) {
    return ['ENOTFOUND', 'ENODATA'].includes(code) ? 'open' : code;
  }
};

const outcomes = await Promise.all(
  targets.map(async (target) => [target.id, await (target.kind === 'dns' ? dns(target) : tcp(target))]),
);
process.stdout.write(JSON.stringify(Object.fromEntries(outcomes)));
process.exit();
