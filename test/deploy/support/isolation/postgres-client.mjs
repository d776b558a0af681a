// Runs in the network of somebody else, with this machine's own files. Reads a list of
// {host, database, user, password, replication, statements, offer} from stdin, so that no password is on a command line,
// and writes for each {login: 'ok' | SQLSTATE | message, offered, results: [rows | SQLSTATE]}.
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import pg from 'pg';

const attempts = await json(process.stdin);
const codeOf = (error) => error.code ?? error.message;

/** Which way to log in the server asks for: 0 none, 3 password, 5 MD5, 10 SASL; or the SQLSTATE with which it refuses. */
const offered = ({ host, user, database }) =>
  new Promise((resolve) => {
    const words = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(head.length + words.length);
    head.writeInt32BE(196608, 4);
    const socket = connect({ host, port: 5432, timeout: 5000 }, () => socket.write(Buffer.concat([head, words])));
    socket.once('data', (answer) => {
      socket.destroy();
      const kind = String.fromCharCode(answer[0]);
      resolve(kind === 'R' ? answer.readInt32BE(5) : (/\0C(.....)\0/.exec(answer.toString('latin1'))?.[1] ?? kind));
    });
    socket.once('timeout', () => resolve('timeout'));
    socket.once('error', (error) => resolve(codeOf(error)));
  });

async function attempt({ statements = [], ...config }) {
  const first = await offered(config);
  const client = new pg.Client({ port: 5432, connectionTimeoutMillis: 5000, ...config });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    return { login: codeOf(error), offered: first, results: [] };
  }
  const results = [];
  for (const statement of statements) {
    try {
      results.push((await client.query(statement)).rows ?? []);
    } catch (error) {
      results.push(codeOf(error));
    }
  }
  await client.end();
  return { login: 'ok', offered: first, results };
}

process.stdout.write(JSON.stringify(await Promise.all(attempts.map(attempt))));
process.exit();
