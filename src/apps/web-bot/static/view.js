// The page's elements. Answers and sources are other people's text: they enter by textContent, never as markup.

const find = (selector, root = document) => root.querySelector(selector);

export const page = {
  status: find('#status'),
  course: find('#course'),
  name: find('#name'),
  clear: find('#clear'),
  scroller: find('main'),
  log: find('#log'),
  empty: find('#empty'),
  form: find('#ask'),
  message: find('#message'),
  send: find('#send'),
  stop: find('#stop'),
};

const STATUS_TEXTS = {
  connecting: 'Подключаемся…',
  connected: 'На связи',
  lost: 'Связь потеряна, восстанавливаем…',
};

/** @param {keyof typeof STATUS_TEXTS} state */
export function showStatus(state) {
  page.status.dataset.state = state;
  page.status.textContent = STATUS_TEXTS[state];
}

export function showCourses(courses, selected) {
  page.course.replaceChildren(...courses.map((course) => new Option(course, course, false, course === selected)));
}

/** Run `change`, and stay at the end of the log if that is where the reader was. */
function keepingPlace(change) {
  const { scrollHeight, scrollTop, clientHeight } = page.scroller;
  change();
  if (scrollHeight - scrollTop - clientHeight < 48) scrollToEnd();
}

export function scrollToEnd() {
  page.scroller.scrollTop = page.scroller.scrollHeight;
}

/** One question and its answer on the page. */
export class ExchangeView {
  /** @param {(exchange: import('./conversation.js').Exchange) => void} onAgain - the reader wants to ask it once more */
  constructor(exchange, onAgain) {
    this.root = find('#exchange').content.cloneNode(true).firstElementChild;
    const part = (name) => find(`.${name}`, this.root);
    this.typing = part('typing');
    this.text = part('text');
    this.notice = part('notice');
    this.sources = part('sources');
    this.again = part('again');
    part('question').textContent = exchange.message;
    this.again.addEventListener('click', () => onAgain(exchange));
    page.log.append(this.root);
    this.show(exchange);
  }

  /** The whole exchange as it now is. */
  show(exchange) {
    keepingPlace(() => {
      const asking = exchange.state === 'asking';
      // While it is set, screen readers wait; they then read the answer as a whole.
      this.root.setAttribute('aria-busy', String(asking));
      this.typing.hidden = !asking || exchange.text !== '';
      this.text.textContent = exchange.text;
      this.notice.hidden = !exchange.notice;
      this.notice.textContent = exchange.notice ?? '';
      this.again.hidden = exchange.state !== 'failed';
      this.#showSources(exchange);
    });
  }

  /** More of the answer, without touching what is there: a selection stays. */
  append(text) {
    keepingPlace(() => {
      this.typing.hidden = true;
      this.text.append(text);
    });
  }

  #showSources({ state, sources }) {
    const known = state === 'complete' && sources?.length > 0;
    this.sources.hidden = !known;
    if (!known) return;
    // What the answer refers to, where that is known; the other passages were only read.
    const cited = sources.filter((source) => source.cited);
    const shown = cited.length > 0 ? cited : sources;
    find('summary', this.sources).textContent = `Источники: ${shown.length}`;
    find('ol', this.sources).replaceChildren(...shown.map(sourceItem));
  }
}

/** Title and headings; the title often is the outermost heading, and need not be read twice. */
function originOf(title, heading) {
  const path =
    heading === title || heading.startsWith(`${title} > `) ? heading : [title, heading].filter(Boolean).join(' > ');
  return path.replaceAll(' > ', ' › ');
}

function sourceItem({ number, source, title, heading, collection, text }, index) {
  const item = find('#source').content.cloneNode(true).firstElementChild;
  item.value = number ?? index + 1;
  find('.title', item).textContent = originOf(title || source, heading ?? '');
  find('.place', item).textContent = title ? `${source} · ${collection}` : collection;
  find('blockquote', item).textContent = text;
  return item;
}
