import { describe, expect, test } from 'vitest';
import { sentencesOf } from '../../src/rag/llm/sentences.js';

const textsOf = (text: string) => sentencesOf({ text, heading: '' }).map((sentence) => sentence.text);

describe('the sentences of a passage', () => {
  test('are those of Russian and of English texts', () => {
    expect(
      textsOf('Солнечные часы показывают время по тени. Тень отбрасывает гномон! Почему они спешат осенью?'),
    ).toEqual(['Солнечные часы показывают время по тени.', 'Тень отбрасывает гномон!', 'Почему они спешат осенью?']);
    expect(textsOf('A sundial tells the time by a shadow. The gnomon casts it, all day long.')).toEqual([
      'A sundial tells the time by a shadow.',
      'The gnomon casts it, all day long.',
    ]);
  });

  test('do not end at abbreviations in front of a small letter, nor inside of numbers', () => {
    expect(textsOf('Тень короче в полдень, т. е. когда солнце выше всего, напр. в июне.')).toHaveLength(1);
    expect(textsOf('The axis is tilted by 23.4 degrees, i.e. as much as the gnomon.')).toHaveLength(1);
  });

  test('go on over the line ends of a paragraph, and end with it', () => {
    expect(textsOf('Первая строка абзаца\nи его вторая строка\n\nДругой абзац без точки')).toEqual([
      'Первая строка абзаца и его вторая строка',
      'Другой абзац без точки',
    ]);
  });

  test.each([
    [
      'bold and italics',
      'Это **очень важное** и *довольно длинное* предложение.',
      'Это очень важное и довольно длинное предложение.',
    ],
    ['a link', 'Подробнее об этом [в статье](https://example.org/a_(b)) автора.', 'Подробнее об этом в статье автора.'],
    ['code in a line', 'Команда `ls -la` показывает файлы каталога.', 'Команда ls -la показывает файлы каталога.'],
    ['an escape', 'Звездочка \\* стоит в начале такой строки.', 'Звездочка * стоит в начале такой строки.'],
    ['what is struck out', 'Это ~~неверное~~ спорное утверждение автора.', 'Это неверное спорное утверждение автора.'],
    ['a quotation', '> Время есть мера движения, сказал философ.', 'Время есть мера движения, сказал философ.'],
    ['an item of a list', '- Горизонтальные часы лежат на плоскости.', 'Горизонтальные часы лежат на плоскости.'],
    ['a numbered item', '1. Горизонтальные часы лежат на плоскости.', 'Горизонтальные часы лежат на плоскости.'],
    ['a task', '- [x] Горизонтальные часы лежат на плоскости.', 'Горизонтальные часы лежат на плоскости.'],
  ])('are without the marks of %s', (_, text, sentence) => {
    expect(textsOf(text)).toEqual([sentence]);
  });

  test('are one for each item of a list and of the lists inside', () => {
    expect(
      textsOf('- Первый пункт списка о гномоне\n  - Вложенный пункт о тени гномона\n- Второй пункт о циферблате\n'),
    ).toEqual(['Первый пункт списка о гномоне', 'Вложенный пункт о тени гномона', 'Второй пункт о циферблате']);
  });

  test('are one for each row of a table, with the names of its columns', () => {
    expect(
      textsOf(
        '| Вид часов | Где **стоят** |\n|---|---|\n| горизонтальные | на *земле* |\n| вертикальные | на стене |\n',
      ),
    ).toEqual(['Вид часов: горизонтальные; Где стоят: на земле', 'Вид часов: вертикальные; Где стоят: на стене']);
  });

  test.each([
    ['a heading', '## Почему тень летом короче, чем зимой'],
    ['a block of code', '```\nconst сообщение = "это не предложение текста";\n```'],
    ['an indented block of code', '    const сообщение = "это не предложение текста";'],
    ['a block of HTML', '<div>Это разметка, а не предложение текста.</div>'],
    ['what is too short to say anything', 'Да. Нет. Рис. 1.'],
    ['nothing', ''],
  ])('are none for %s', (_, text) => {
    expect(textsOf(text)).toEqual([]);
  });

  test('know the terms of themselves and of the innermost heading above them', () => {
    const [sentence] = sentencesOf({ text: 'Тень падает на циферблат часов.', heading: 'Часы > Виды > Гномоны' });
    expect([...(sentence?.terms ?? [])]).toEqual(['тен', 'пада', 'циферблат', 'час']);
    expect([...(sentence?.heading ?? [])]).toEqual(['гномон']);
  });
});
