import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { RagdockError } from '../../src/errors/problem.js';
import { collectDocuments } from '../../src/operator/documents.js';
import { temporaryFolder } from '../support/folder.js';

let cwd: string;

beforeEach(() => {
  cwd = temporaryFolder();
});

function put(path: string, content: string | Uint8Array = '# Текст\n'): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(join(cwd, path), content);
}

const paths = (...names: string[]) => collectDocuments(names, cwd).map(({ path }) => path);

function problems(...names: string[]) {
  try {
    collectDocuments(names, cwd);
  } catch (error) {
    if (error instanceof RagdockError) return error.problems.map(({ code, file }) => [code, file]);
    throw error;
  }
  throw new Error('nothing failed');
}

describe('documents of a folder', () => {
  test('are all that is below it, in a format that is known', () => {
    put('docs/a.md');
    put('docs/b.MARKDOWN');
    put('docs/deep/er/c.txt');
    put('docs/d.PDF');
    put('docs/e.mdx');
    put('docs/f.html');
    put('docs/g.htm');
    put('docs/h.docx');
    put('docs/i.doc');
    put('docs/j.jsonl');
    put('docs/k.json');
    expect(paths('docs')).toEqual([
      'docs/a.md',
      'docs/b.MARKDOWN',
      'docs/d.PDF',
      'docs/deep/er/c.txt',
      'docs/f.html',
      'docs/g.htm',
      'docs/h.docx',
      'docs/j.jsonl',
    ]);
  });

  test('are not hidden, not of packages, and not somewhere else', () => {
    put('docs/a.md');
    put('docs/.hidden.md');
    put('docs/.git/a.md');
    put('docs/node_modules/package/README.md');
    put('elsewhere/b.md');
    symlinkSync(join(cwd, 'elsewhere'), join(cwd, 'docs/link'));
    symlinkSync(join(cwd, 'elsewhere/b.md'), join(cwd, 'docs/link.md'));
    // A circle: following it would never end.
    symlinkSync(join(cwd, 'docs'), join(cwd, 'docs/itself'));
    expect(paths('docs')).toEqual(['docs/a.md']);
  });

  test('are taken once, and named as seen from the current folder', () => {
    put('docs/a.md');
    expect(paths('docs', 'docs/a.md', './docs/../docs/a.md', join(cwd, 'docs'))).toEqual(['docs/a.md']);
    expect(paths('.')).toEqual(['docs/a.md']);
    expect(collectDocuments(['..'], join(cwd, 'docs'))).toEqual([{ file: join(cwd, 'docs/a.md'), path: 'a.md' }]);
  });
});

describe('what names no documents', () => {
  test('is told all at once', () => {
    put('good.md');
    put('program.exe');
    symlinkSync(join(cwd, 'good.md'), join(cwd, 'link.md'));
    expect(problems('good.md', 'program.exe', 'missing.md', 'link.md')).toEqual([
      ['FILE_UNREADABLE', 'program.exe'],
      ['FILE_UNREADABLE', 'missing.md'],
      ['FILE_UNREADABLE', 'link.md'],
    ]);
  });

  test('nothing at all is a mistake', () => {
    mkdirSync(join(cwd, 'empty'));
    expect(problems('empty')).toEqual([['USAGE', undefined]]);
  });
});
