import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { describe, expect, test, vi } from 'vitest';
import { startBot, WAIT } from './harness.js';

const STATIC = fileURLToPath(new URL('../../../src/apps/web-bot/static/', import.meta.url));

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await request(url, { headers });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

describe('the page', () => {
  test.each([
    '/',
    '/chat.js',
    '/config.json',
    '/healthz',
    '/readyz',
    '/nothing-here',
    '/socket.io/?EIO=4&transport=polling',
  ])('%s carries the security headers', async (path) => {
    const { url } = await startBot();
    const { headers } = await get(`${url}${path}`);
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy.join()).not.toMatch(/unsafe|https?:|\*/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });

  test('has all that it refers to, and refers to nothing else', async () => {
    const { url } = await startBot();
    const { text } = await get(url);
    const references = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path);
    expect(references).toEqual(expect.arrayContaining(['/chat.js', '/chat.css', '/icon.svg', '/socket.io.min.js']));
    for (const path of references) expect((await get(`${url}${path}`)).status, path).toBe(200);
    const modules = await Promise.all((await readdir(STATIC)).filter((name) => name.endsWith('.js')).map(readStatic));
    for (const [, name] of modules.join('\n').matchAll(/from '\.(\/[^']*)'/g)) {
      expect((await get(`${url}${name}`)).headers['content-type'], name).toBe('text/javascript; charset=utf-8');
    }
  });

  test('has nothing inline, which the policy would refuse, and no way to make markup of a text', async () => {
    for (const name of await readdir(STATIC)) {
      const text = await readStatic(name);
      if (name.endsWith('.html')) expect(text, name).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
      if (name.endsWith('.js'))
        expect(text, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
      if (!name.endsWith('.svg')) expect(text, name).not.toMatch(/https?:\/\//);
    }
  });

  test('is not sent again when it is unchanged', async () => {
    const { url } = await startBot();
    const first = await get(`${url}/chat.css`);
    expect(first.headers['content-type']).toBe('text/css; charset=utf-8');
    const again = await get(`${url}/chat.css`, { 'if-none-match': String(first.headers.etag) });
    expect(again).toMatchObject({ status: 304, text: '' });
  });

  test('learns courses and limits from its server', async () => {
    const { url } = await startBot();
    expect(JSON.parse((await get(`${url}/config.json`)).text)).toEqual({
      courses: ['demo', 'биология'],
      messageCharacters: 200,
      userNameCharacters: 64,
    });
  });

  test.each(['/../app.ts', '/%2e%2e/app.ts', '/static/chat.js', '/chat.js/'])('does not serve %s', async (path) => {
    const { url } = await startBot();
    expect((await get(`${url}${path}`)).status).toBe(404);
  });
});

function readStatic(name: string): Promise<string> {
  return readFile(`${STATIC}${name}`, 'utf8');
}

describe('health', () => {
  test('is the process’s, readiness the API’s', async () => {
    const { api, url } = await startBot({ readinessCacheMs: 50 });
    api.isReady = false;
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 503, text: '{"status":"waiting","api":"not_ready"}' });

    api.isReady = true;
    await vi.waitFor(async () => expect((await get(`${url}/readyz`)).status).toBe(200), WAIT);

    await api.stop();
    await vi.waitFor(
      async () => expect((await get(`${url}/readyz`)).text).toBe('{"status":"waiting","api":"unreachable"}'),
      WAIT,
    );
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
  });

  test('asks the API once for many', async () => {
    const { api, url } = await startBot({ readinessCacheMs: 60_000 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(`${url}/readyz`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(api.readinessProbes).toBe(1);
  });
});
