import { expect, test } from 'vitest';
import { parseComment } from '../../src/api-docs/comment.js';

const NOTHING = { text: '', params: [], returns: undefined, throws: [], defaultsTo: undefined };

test('a comment comes apart into its text and its tags', () => {
  const comment = [
    '/**',
    ' * Reads a file,',
    ' * whole.',
    ' *',
    ' * @param name - of the file',
    ' *',
    ' * @param options -  @default - the current folder',
    ' *',
    ' * @returns its text',
    ' *',
    ' * @throws',
    ' *',
    ' * RagdockError FILE_UNREADABLE',
    ' */',
    '',
  ].join('\n');

  expect(parseComment(comment)).toEqual({
    text: 'Reads a file,\nwhole.',
    params: [
      { name: 'name', text: 'of the file' },
      { name: 'options', text: 'default: the current folder' },
    ],
    returns: 'its text',
    throws: ['RagdockError FILE_UNREADABLE'],
    defaultsTo: undefined,
  });
});

test('a default stands behind its text, with its placeholders to be seen', () => {
  expect(parseComment('/**\n * Name of it.  @default - <environment>-<id>, or `<id>`\n */\n')).toEqual({
    ...NOTHING,
    text: 'Name of it.',
    defaultsTo: '\\<environment>-\\<id>, or `<id>`',
  });
});

test('what is said of a constructor that has no comment is left out', () => {
  expect(parseComment('/**\n * Constructs a new instance of the `Qdrant` class\n */\n')).toEqual(NOTHING);
  expect(parseComment('')).toEqual(NOTHING);
});
