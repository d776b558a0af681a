import { describe, expect, test } from 'vitest';
import { parseHtml } from '../../src/documents/html.js';
import { chunkDocument } from '../../src/rag/ingest/chunk.js';

const texts = (html: string) => chunkDocument(parseHtml(html, 'page.html')).map(({ text }) => text);
const text = (html: string) => texts(html).join('\n\n');

describe('a page', () => {
  test('gives its title, its headings and its text', () => {
    const page = parseHtml(
      `<!doctype html><html lang="ru"><head><title>Солнечные
       часы</title><style>p {}</style></head><body><h1>Гномон</h1><p>Отбрасывает <b>тень</b>.<h2>Наклон <em>оси</em></h2>
       Равен широте.<br>Всегда.</body></html>`,
      'page.html',
    );
    expect(page.title).toBe('Солнечные часы');
    expect(chunkDocument(page)).toEqual([
      {
        heading: '',
        text: '# Гномон\n\nОтбрасывает тень.\n\n## Наклон оси\n\nРавен широте.\nВсегда.',
        position: 0,
      },
    ]);
  });

  test('has the path of its headings where it does not fit a chunk', () => {
    const long = `<p>${'Предложение о гномоне. '.repeat(100)}</p>`;
    const headings = chunkDocument(
      parseHtml(`<h1>Часы</h1><section><h2>Гномон</h2>${long}</section><h2>Тень</h2>${long}`, 'page.html'),
    ).map(({ heading }) => heading);
    expect([...new Set(headings)]).toEqual(['Часы > Гномон', 'Часы > Тень']);
  });

  test.each([
    ['<h1>Первый</h1><h1>Второй</h1>', 'Первый'],
    ['<title> </title><h2>Раздел</h2>', 'page.html'],
  ])('without a title is named after what it has: %s', (html, title) => {
    expect(parseHtml(html, 'page.html').title).toBe(title);
  });

  test('loses its programs, styles, menus, controls and what is hidden', () => {
    expect(
      text(`<header>Шапка</header><nav><a href="/">Главная</a></nav><div role="navigation">Меню</div>
        <p>Текст.</p><script>alert("<p>нет</p>")</script><noscript>Включите</noscript><svg><text>Рисунок</text></svg>
        <template><p>Шаблон</p></template><form><button>Купить</button><input value="x"></form>
        <p hidden>Скрыто</p><p aria-hidden="true">Тоже</p><!-- замечание --><style>b{}</style>`),
    ).toBe('Шапка\n\nТекст.');
  });

  test('is its main part where it has one with text', () => {
    expect(text('<div>Вокруг</div><main><p>Главное.</p></main><footer>Подвал</footer>')).toBe('Главное.');
    expect(text('<p>Без программы.</p><main><div id="app"></div></main>')).toBe('Без программы.');
  });
});

describe('structure stays readable', () => {
  test('lists, also nested ones and those with several paragraphs', () => {
    expect(
      text(`<ul><li>один</li><li><p>два</p><p>ещё два</p><ol start="3"><li>три</li><li>четыре</li></ol></li><li></li></ul>
            <dl><dt>Гномон</dt><dt>стержень</dt><dd>отбрасывает тень</dd><div><dt>Циферблат</dt><dd>принимает её</dd></div></dl>`),
    ).toBe(
      [
        '- один\n- два\n  ещё два\n  3. три\n  4. четыре',
        '- Гномон, стержень: отбрасывает тень\n- Циферблат: принимает её',
      ].join('\n\n'),
    );
  });

  test('tables, with what a cell spans in every row', () => {
    expect(
      text(`<table><caption>Широты</caption><thead><tr><th>Страна<th>Город<th>Широта</thead>
            <tr><td rowspan="2">Индия<td>Дели<td>28,7°<tr><td>Джайпур<td>26,9°
            <tr><td colspan="2">a | b<td>нет</table>`),
    ).toBe(
      [
        'Широты',
        '',
        '| Страна | Город | Широта |',
        '| --- | --- | --- |',
        '| Индия | Дели | 28,7° |',
        '| Индия | Джайпур | 26,9° |',
        '| a \\| b | a \\| b | нет |',
      ].join('\n'),
    );
  });

  test('no table for what only lays the page out', () => {
    expect(text('<table><tr><td><h1>Часы</h1><p>Текст.</p></td><td>Сбоку</td></tr></table>')).toBe(
      '# Часы\n\nТекст.\n\nСбоку',
    );
  });

  test('code keeps its lines', () => {
    expect(text('<p>Вызов <code>sun()</code>:</p><pre><code>def sun():\n    return 1\n</code></pre>')).toBe(
      'Вызов `sun()`:\n\n```\ndef sun():\n    return 1\n```',
    );
    expect(text('<pre>```\nx</pre>')).toBe('````\n```\nx\n````');
  });

  test('pictures are what describes them', () => {
    expect(text('<p>Вот <img src="a.png" alt="тень гномона"> утром.</p>')).toBe('Вот тень гномона утром.');
  });
});

describe('a page that was made to hurt', () => {
  test('claims a million columns', () => {
    expect(text('<table><tr><td colspan="1000000" rowspan="1000000">a<td>b</table>').length).toBeLessThan(2000);
  });

  test('is nothing but brackets', () => {
    expect(
      texts(`<p>${'<'.repeat(50_000)}`)
        .join('')
        .replace(/\s/g, ''),
    ).toContain('<<<');
  });
});
