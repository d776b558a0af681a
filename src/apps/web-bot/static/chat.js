// The chat: what the reader does, what the server says, and the exchange that both are about.

import { openSocket } from './connection.js';
import { loadExchanges, loadVisitor, newId, saveExchanges, saveVisitor } from './conversation.js';
import { ExchangeView, page, scrollToEnd, showCourses, showStatus } from './view.js';

const RECEIPT_MS = 10_000;
const RETRY_MS = 3_000;
const TEXTS = {
  guest: 'Гость',
  noReceipt: 'Чат не отвечает: попробуйте ещё раз.',
  noSources: 'Источники этого ответа сейчас недоступны.',
  stopped: 'Ответ остановлен.',
};

let exchanges = loadExchanges();
const views = new Map();
/** The exchange whose answer is awaited, and the number of its next chunk. */
let current = exchanges.find(({ state }) => state === 'asking');
let nextSeq = 0;

const socket = openSocket(window.io, '', RETRY_MS);

function ask(message, name, course) {
  const exchange = { id: newId(), message, name, course, text: '', state: 'asking', sources: null };
  exchanges.push(exchange);
  current = exchange;
  saveExchanges(exchanges);
  show(exchange);
  showControls();
  scrollToEnd();
  if (socket.connected) send(exchange);
}

/** Also for a question that was sent before: the server then tells its answer from the beginning. */
function send(exchange) {
  const { id, message, name, course } = exchange;
  const question = { message_id: id, message, user_name: name, course };
  socket.timeout(RECEIPT_MS).emit('send_message', question, (lost, receipt) => {
    // Without a connection there is no receipt; the question is sent again when there is one.
    if (current !== exchange || (lost && !socket.connected)) return;
    if (lost) finish(exchange, { state: 'failed', notice: TEXTS.noReceipt });
    else if (!receipt.ok) finish(exchange, { state: 'failed', notice: receipt.text });
  });
}

function finish(exchange, result) {
  Object.assign(exchange, result);
  if (current === exchange) current = undefined;
  saveExchanges(exchanges);
  show(exchange);
  showControls();
}

function show(exchange) {
  const view = views.get(exchange.id);
  if (view) view.show(exchange);
  else views.set(exchange.id, new ExchangeView(exchange, askAgain));
}

function askAgain({ message, name, course }) {
  if (!current) ask(message, name, course);
}

function showControls() {
  page.send.hidden = current !== undefined;
  page.stop.hidden = current === undefined;
  page.empty.hidden = exchanges.length > 0;
  page.clear.hidden = exchanges.length === 0;
  page.clear.disabled = current !== undefined;
}

function submit() {
  const message = page.message.value.trim();
  if (message === '' || current || !page.course.value) return;
  const name = page.name.value.trim();
  const course = page.course.value;
  saveVisitor({ name, course });
  page.message.value = '';
  ask(message, name || TEXTS.guest, course);
}

page.form.addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
page.message.addEventListener('keydown', (event) => {
  // While an input method composes, Enter belongs to it.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
page.stop.addEventListener('click', () => {
  if (!current) return;
  finish(current, { state: 'failed', notice: TEXTS.stopped });
  // Leaving is how the server is told to stop; a connection that is merely lost keeps its answer for a while.
  socket.disconnect().connect();
  page.message.focus();
});
page.clear.addEventListener('click', () => {
  exchanges = [];
  for (const view of views.values()) view.root.remove();
  views.clear();
  saveExchanges(exchanges);
  showControls();
  page.message.focus();
});

socket.on('connect', () => {
  showStatus('connected');
  if (current) send(current);
});
socket.on('disconnect', (reason) => {
  if (reason === 'io client disconnect') return;
  showStatus('lost');
  if (reason === 'io server disconnect') socket.connect();
});
socket.on('connect_error', () => showStatus('lost'));

socket.on('bot_chunk', ({ message_id, seq, text }) => {
  if (current?.id !== message_id) return;
  if (seq === 0) {
    current.text = text;
    show(current);
  } else if (seq === nextSeq) {
    current.text += text;
    views.get(message_id).append(text);
  } else {
    send(current);
    return;
  }
  nextSeq = seq + 1;
});
socket.on('bot_finished', ({ message_id, ok, sources, text }) => {
  if (current?.id !== message_id) return;
  const notice = text ?? (sources === null ? TEXTS.noSources : undefined);
  finish(current, { state: ok ? 'complete' : 'failed', sources, notice });
});

async function start() {
  const response = await fetch('/config.json');
  if (!response.ok) throw new Error(`/config.json: ${response.status}`);
  const { courses, messageCharacters, userNameCharacters } = await response.json();
  const visitor = loadVisitor();
  showCourses(courses, visitor.course);
  page.message.maxLength = messageCharacters;
  page.name.maxLength = userNameCharacters;
  page.name.value = visitor.name;
  for (const exchange of exchanges) show(exchange);
  showControls();
  scrollToEnd();
  page.message.focus();
  socket.connect();
}

function startUntilDone() {
  start().catch(() => {
    showStatus('lost');
    setTimeout(startUntilDone, RETRY_MS);
  });
}

startUntilDone();
