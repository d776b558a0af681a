import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configurationPage } from '../config/reference.js';
import { ENGINE_HOST } from '../constructs/model/index.js';
import { commandsIn, faultsOf } from './docs/support/commands.js';
import { settingsWith } from './docs/support/dev.js';
import { anchors, codeIn, fences, linksIn, PAGES, type Page, ROOT, readPage } from './docs/support/markdown.js';

describe.each(PAGES.map((page) => [page.file, page] as const))('%s', (_file, page) => {
  test('links and images lead somewhere', () => {
    expect(linksIn(page.tokens).flatMap((href) => brokenLink(page, href))).toEqual([]);
  });

  test('names commands and options that exist', () => {
    const typed = fences(page, 'sh').flatMap((text) => text.split('\n').flatMap(commandsIn));
    const mentioned = codeIn(page.tokens).flatMap((code) => (/^(npx )?ragdock /.test(code) ? commandsIn(code) : []));
    expect([
      ...typed.flatMap((words) => faultsOf(words, true)),
      ...mentioned.flatMap((words) => faultsOf(words, false)),
    ]).toEqual([]);
  });

  test('names settings that exist, and shows YAML that is accepted', () => {
    const known = new Set(codeIn(marked.lexer(configurationPage())));
    const named = codeIn(page.tokens).filter(
      (code) => /^(services|host|extraServices)\.[\w.<>[\]]+$/.test(code) && code !== ENGINE_HOST,
    );
    expect(named.filter((code) => !known.has(code))).toEqual([]);
    // An ellipsis stands for what a reader does not need to see.
    for (const text of fences(page, 'yaml').filter((yaml) => !yaml.includes('…'))) {
      expect(() => settingsWith(parse(text)), text).not.toThrow();
    }
  });
});

function brokenLink(page: Page, href: string): string[] {
  if (/^[a-z]+:/.test(href)) return [];
  const [path = '', anchor] = href.split('#');
  const target = path === '' ? page.file : relative(ROOT, resolve(ROOT, dirname(page.file), path));
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return [`${href}: there is no such file`];
  if (anchor === undefined || anchors(readPage(target)).has(anchor)) return [];
  return [`${href}: there is no such heading`];
}
