import { describe, expect, test } from 'vitest';
import { namedDocuments, shownName } from '../../src/operator/document-names.js';
import { ragdock } from '../cli/terminal.js';
import { changed } from '../config/project.js';
import { deployedProject, says } from './support/deployed-project.js';
import { type Program, textOf } from './support/scripted-engine.js';

const STORED = [
  { event: 'document', path: 'docs/2024/a.md', title: 'Гномон', chunks: 12 },
  { event: 'document', path: 'docs/2024/b.txt', title: 'b.txt', chunks: 1 },
  { event: 'document', path: 'docs/faq.jsonl', title: 'faq', chunks: 2 },
  { event: 'document', path: 'docs/lecture\u001b[2J.md', title: 'Лекция', chunks: 3 },
] as const;

/** How the last of them is shown. */
const ODD = '"docs/lecture\\u001b[2J.md"';

/** A session that holds the documents above, and what it was told to remove. */
function holding(): { program: Program; told: string[]; commands: string[][] } {
  const told: string[] = [];
  const commands: string[][] = [];
  const program: Program = async ({ stdin, stdout, options }) => {
    commands.push([...(options.Cmd ?? [])]);
    const tell = (event: object) => stdout(`${JSON.stringify(event)}\n`);
    const input = await textOf(stdin);
    if (!options.Cmd?.includes('--remove')) for (const one of STORED) tell(one);
    for (const line of input.split('\n').filter(Boolean)) {
      const path: string = JSON.parse(line);
      told.push(path);
      tell({ event: 'removed', path, chunks: STORED.find((one) => one.path === path)?.chunks ?? 0 });
    }
    tell({ event: 'done' });
    return 0;
  };
  return { program, told, commands };
}

const documents = (cwd: string, ...args: string[]) =>
  ragdock(['documents', ...args, '--collection', 'BD_curs_data', '--env', 'dev'], { cwd });

const data = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('ragdock documents list', () => {
  test('shows names, passages, and titles that say more than the name', async () => {
    const { program, commands } = holding();
    const { cwd, engine } = await deployedProject(program);
    const { exit, stdout, stderr } = await documents(cwd, 'list');

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toBe(
      [
        '  12 passages  docs/2024/a.md  Гномон',
        '   1 passages  docs/2024/b.txt',
        '   2 passages  docs/faq.jsonl',
        `   3 passages  ${ODD}  Лекция`,
        '4 documents of demo; 18 passages',
        '',
      ].join('\n'),
    );
    expect(commands).toEqual([['operator-documents', '--collection', 'BD_curs_data', '--course', 'demo']]);
    expect(engine.containers.size).toBe(0);
  });

  test('gives data with --json', async () => {
    const { cwd } = await deployedProject(holding().program);

    expect(data((await documents(cwd, 'list', '--json')).stdout)).toEqual([
      ...STORED,
      { event: 'done', documents: 4, chunks: 18 },
    ]);
  });

  test('a session that does not come to its end is no empty collection', async () => {
    const { cwd } = await deployedProject(({ stderr }) => {
      stderr('operator-documents failed: there is no version of this secret');
      return 1;
    });
    const { exit, stdout, stderr } = await documents(cwd, 'list');

    expect({ exit, stdout }).toEqual({ exit: 3, stdout: '' });
    expect(stderr).toContain('SESSION_FAILED');
    expect(stderr).toContain('there is no version of this secret');
  });

  test('says why Qdrant refused', async () => {
    const { cwd } = await deployedProject(says({ event: 'error', detail: 'there is no collection BD_curs_data' }));
    const { exit, stderr } = await documents(cwd, 'list');

    expect(exit).toBe(3);
    expect(stderr).toContain('there is no collection BD_curs_data');
  });

  test('knows collections; a course may be one that the environment had', async () => {
    const { program, commands } = holding();
    const { cwd } = await deployedProject(program);
    const collection = await ragdock(['documents', 'list', '--collection', 'BD_kurs_data', '--env', 'dev'], { cwd });
    const former = await documents(cwd, 'list', '--course', 'former');
    const none = await documents(cwd, 'list', '--course', '');

    expect([collection.exit, former.exit, none.exit]).toEqual([2, 0, 2]);
    expect(collection.stderr).toContain("did you mean 'BD_curs_data'?");
    expect(former.stdout).toContain('4 documents of former');
    expect(commands).toEqual([['operator-documents', '--collection', 'BD_curs_data', '--course', 'former']]);
  });

  test('a course without documents that the environment never had is a mistake', async () => {
    const { cwd } = await deployedProject(says({ event: 'done' }));
    for (const args of [['list'], ['remove', 'a.md']]) {
      const { exit, stderr } = await documents(cwd, ...args, '--course', 'dem');
      expect(exit).toBe(2);
      expect(stderr).toContain("dev has no course 'dem'; did you mean 'demo'?");
    }
    expect((await documents(cwd, 'list')).stdout).toBe('0 documents of demo; 0 passages\n');
  });

  test('a collection of LangChain is left alone', async () => {
    const { program, commands } = holding();
    const { cwd } = await deployedProject(
      program,
      changed([
        '    courses: [demo]\n',
        '    courses: [demo]\n    collections: { theirs: { layout: langchain } }\n  embeddings: { enabled: true }\n',
      ]),
    );
    const place = ['--collection', 'theirs', '--env', 'dev'];
    for (const args of [['list'], ['remove', 'a.md']]) {
      const { exit, stderr } = await ragdock(['documents', ...args, ...place], { cwd });
      expect(exit).toBe(2);
      expect(stderr).toContain('theirs is a collection of LangChain');
    }
    expect(commands).toEqual([]);
  });

  test('apps that do not know the command are to be deployed again', async () => {
    const { cwd } = await deployedProject(({ stderr }) => {
      stderr('USAGE: expected one of rag-api, operator-ask; got operator-documents');
      return 2;
    });
    expect((await documents(cwd, 'list')).stderr).toContain('of another version than this command; deploy again');
  });
});

describe('ragdock documents remove', () => {
  test('removes what is named, by name or by folder, each once, and tells of it', async () => {
    const { program, told, commands } = holding();
    const { cwd } = await deployedProject(program);
    const { exit, stdout, stderr } = await documents(cwd, 'remove', './docs/2024/', 'docs/2024/b.txt');

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(told).toEqual(['docs/2024/a.md', 'docs/2024/b.txt']);
    expect(commands.at(-1)).toContain('--remove');
    expect(stdout).toBe(
      [
        'removed    12 passages  docs/2024/a.md',
        'removed     1 passages  docs/2024/b.txt',
        '2 documents of demo removed; 13 passages',
        '',
      ].join('\n'),
    );
  });

  test('gives data with --json', async () => {
    const { cwd } = await deployedProject(holding().program);

    expect(data((await documents(cwd, 'remove', 'docs/2024/b.txt', '--json')).stdout)).toEqual([
      { event: 'removed', path: 'docs/2024/b.txt', chunks: 1 },
      { event: 'done', documents: 1, chunks: 1 },
    ]);
  });

  test('removes nothing when one of the names is wrong, and says all that are', async () => {
    const { program, told } = holding();
    const { cwd } = await deployedProject(program);
    const { exit, stdout, stderr } = await documents(cwd, 'remove', 'docs/2024/a.md', 'docs/2024/c.md', 'docs/2024');

    expect({ exit, stdout, told }).toEqual({ exit: 2, stdout: '', told: [] });
    expect(stderr).toContain("BD_curs_data has no document 'docs/2024/c.md' of demo");
    expect(stderr).toContain("BD_curs_data has no document 'docs/2024'");
    expect(stderr).toContain('2 problems');
  });

  test.each(['/', '.', './', 'docs/..', '', '*'])('%j is not everything', async (name) => {
    const { program, told } = holding();
    const { cwd } = await deployedProject(program);

    expect((await documents(cwd, 'remove', name)).exit).toBe(2);
    expect(told).toEqual([]);
  });

  test('what was removed before a session broke off was told', async () => {
    const { cwd } = await deployedProject(async ({ stdin, stdout, options }) => {
      await textOf(stdin);
      const events = options.Cmd?.includes('--remove')
        ? [
            { event: 'removed', path: 'docs/2024/a.md', chunks: 12 },
            { event: 'error', detail: 'Qdrant cannot be reached' },
          ]
        : [...STORED, { event: 'done' }];
      for (const event of events) stdout(`${JSON.stringify(event)}\n`);
      return 1;
    });
    const { exit, stdout, stderr } = await documents(cwd, 'remove', 'docs/2024/');

    expect(exit).toBe(3);
    expect(stdout).toBe('removed    12 passages  docs/2024/a.md\n');
    expect(stderr).toContain('Qdrant cannot be reached');
    expect(stderr).toContain('without the names that it told of');
  });

  test('names that the session did not hear of are not removed', async () => {
    const { cwd } = await deployedProject(async ({ stdin, stdout, options }) => {
      await textOf(stdin);
      const events = options.Cmd?.includes('--remove')
        ? [{ event: 'removed', path: 'docs/2024/a.md', chunks: 12 }]
        : STORED;
      for (const event of [...events, { event: 'done' }]) stdout(`${JSON.stringify(event)}\n`);
      return 0;
    });
    const { exit, stderr } = await documents(cwd, 'remove', 'docs/2024/');

    expect(exit).toBe(3);
    expect(stderr).toContain('1 of 2 documents were removed');
  });

  test('what is gone since it was listed is not counted', async () => {
    const { cwd } = await deployedProject(async ({ stdin, stdout, options }) => {
      await textOf(stdin);
      const events = options.Cmd?.includes('--remove')
        ? [{ event: 'removed', path: 'docs/2024/b.txt', chunks: 0 }]
        : STORED;
      for (const event of [...events, { event: 'done' }]) stdout(`${JSON.stringify(event)}\n`);
      return 0;
    });
    const { exit, stdout } = await documents(cwd, 'remove', 'docs/2024/b.txt');

    expect(exit).toBe(0);
    expect(stdout).toBe('was gone already        docs/2024/b.txt\n0 documents of demo removed; 0 passages\n');
  });
});

describe('names', () => {
  const stored = (...paths: readonly string[]) => paths.map((path) => ({ path, title: '', chunks: 1 }));
  const odd = [
    'x\nremoved  9 passages  y.md',
    'пра\u202eвый.md',
    'флаг\u{e0041}.md',
    '"a".md',
    'a\\b.md',
    '../x.md',
    'и\u0306.md',
  ];

  const PLACE = { collection: 'c', course: 'demo' };

  test.each(odd)('%j is found as it is shown, and as it is', (name) => {
    const shown = shownName(name);
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    for (const typed of [name, shown]) expect(namedDocuments([typed], stored(...odd), PLACE)).toEqual([name]);
  });

  test('a name is itself before it is a path', () => {
    expect(namedDocuments(['a\\b.md'], stored('a/b.md', 'a\\b.md'), PLACE)).toEqual(['a\\b.md']);
    expect(namedDocuments(['..\\a\\b.md'], stored('a/b.md', 'a\\b.md'), PLACE)).toEqual(['a/b.md']);
  });

  test('a folder is named as it is shown, too', () => {
    const paths = ['до\u202eк/a.md', 'до\u202eк/b.md', 'док/c.md'];
    expect(namedDocuments(['"до\\u202eк/"'], stored(...paths), PLACE)).toEqual(paths.slice(0, 2));
  });

  test('a name that is refused moves no cursor', async () => {
    const { cwd } = await deployedProject(holding().program);
    const { stderr } = await documents(cwd, 'remove', 'docs/\u001b[2J.md');

    expect(stderr).toContain('has no document "docs/\\u001b[2J.md"');
    expect(stderr).not.toContain('\u001b[2J');
  });
});
