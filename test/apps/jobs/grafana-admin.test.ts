import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { updateGrafanaAdmin } from '../../../src/apps/jobs/grafana-admin.js';
import { temporaryFolder } from '../../support/folder.js';
import { closedPort, json, ScriptedServer } from '../../support/http-server.js';

let server: ScriptedServer;
let passwordFile: string;
let lines: string[];
/** What Grafana's database holds. */
let stored: string;
let unready: number;
/** How often an answer is lost behind a change that was made. */
let lost: number;
/** How often a change is refused by a database that cannot be written. */
let locked: number;
/** How often an answer is lost that would have said that nothing was changed. */
let undone: number;
/** Wrong passwords in a row. Grafana shuts a name out after five. */
let wrong: number;

beforeEach(async () => {
  passwordFile = join(temporaryFolder(), 'grafana-admin-password');
  lines = [];
  unready = 0;
  lost = 0;
  locked = 0;
  undone = 0;
  wrong = 0;
  server = await ScriptedServer.start(({ method, path, headers, body }, response) => {
    if (unready > 0) {
      unready -= 1;
      return json(response, 503, {});
    }
    const [user, password] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
      .toString()
      .split(':');
    if (user !== 'admin' || password !== stored || wrong >= 5) {
      wrong += 1;
      return json(response, 401, { message: 'Invalid username or password' });
    }
    if (method === 'GET' && path === '/api/user') return json(response, 200, { login: 'admin' });
    if (method !== 'PUT' || path !== '/api/user/password') return json(response, 404, {});
    const change = JSON.parse(body);
    if (change.oldPassword !== stored || change.confirmNew !== change.newPassword) return json(response, 400, {});
    if (locked > 0) {
      locked -= 1;
      return json(response, 500, { message: 'database is locked' });
    }
    if (undone > 0) {
      undone -= 1;
      return void response.destroy();
    }
    stored = change.newPassword;
    if (lost > 0) {
      lost -= 1;
      return void response.destroy();
    }
    return json(response, 200, { message: 'User password changed' });
  });
});

afterEach(() => server.close());

const passwords = (...values: string[]) => {
  values.forEach((value, index) => void writeFileSync(`${passwordFile}.v${index + 1}`, `${value}\n`));
};
const update = (url = server.url, deadlineSeconds = 5) =>
  updateGrafanaAdmin({ deadlineSeconds }, { url, passwordFile }, (line) => lines.push(line));

test('a new database has the password already', async () => {
  passwords('first');
  stored = 'first';
  await update();
  expect(lines).toEqual(['admin has the newest password of its file']);
  expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
});

test('the database is given the new password, and once alone', async () => {
  passwords('first', 'second');
  stored = 'first';
  await update();
  expect(stored).toBe('second');
  await update();
  expect(lines).toEqual([
    'admin was given the newest password of its file',
    'admin has the newest password of its file',
  ]);
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
});

test('a server that is still starting is waited for', async () => {
  passwords('first');
  stored = 'first';
  unready = 2;
  await update();
  expect(lines.slice(0, 2)).toEqual(['waiting for Grafana: status 503', 'waiting for Grafana: status 503']);
});

test('a database that missed rotations is given the newest password', async () => {
  passwords('first', 'second', 'third');
  stored = 'first';
  await update();
  expect(stored).toBe('third');
  expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'PUT']);
});

test('a database of another password is refused at once, and told what to do', async () => {
  passwords('first', 'second', 'third');
  stored = 'somebody else’s';
  await expect(update()).rejects.toThrow(
    /Grafana refuses the password of admin in .*grafana-admin-password, all of 3 tried; .*reset-admin-password/,
  );
  expect(server.requests).toHaveLength(3);
});

test('no more is tried than Grafana takes before it shuts the name out, and nothing twice', async () => {
  passwords('first', 'second', 'third', 'fourth', 'fourth', 'fifth', 'sixth');
  stored = 'first';
  const { handler } = server;
  server.handler = (received, response) => {
    // Behind each password that is refused there is an attempt that comes to nothing.
    unready = server.requests.length % 2 === 0 ? 1 : 0;
    return handler(received, response);
  };
  await expect(update()).rejects.toThrow(/the 4 newest of 6 tried/);
  const tried = server.requests.map(({ headers }) =>
    Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString(),
  );
  expect(tried).toEqual(
    ['sixth', 'fifth', 'fifth', 'fourth', 'fourth', 'third', 'third'].map((password) => `admin:${password}`),
  );
});

test('a change whose answer is lost is a change', async () => {
  passwords('first', 'second');
  stored = 'first';
  lost = 1;
  await update();
  expect(stored).toBe('second');
  expect(lines.at(-1)).toBe('admin has the newest password of its file');
});

test('a change that is refused for a while shuts nobody out', async () => {
  passwords('first', 'second');
  stored = 'first';
  locked = 6;
  await update(server.url, 20);
  expect([stored, wrong]).toEqual(['second', 1]);
});

test('changes whose answers are lost, and that came to nothing, shut nobody out', async () => {
  passwords('first', 'second');
  stored = 'first';
  undone = 6;
  await update(server.url, 20);
  expect(stored).toBe('second');
  expect(wrong).toBeLessThan(5);
});

test('a server that does not come is given up, by the name of what is missing', async () => {
  passwords('first');
  await expect(update(`http://127.0.0.1:${await closedPort()}`, 0.3)).rejects.toThrow(
    /^Grafana was not prepared: no success within 0\.3 s: .*ECONNREFUSED/,
  );
});
