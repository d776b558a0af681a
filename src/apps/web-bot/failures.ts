import type { FinishReason } from './events.js';

interface FailureEntry {
  readonly reason: Exclude<FinishReason, 'complete'>;
  /** What the reader is told: one sentence, in Russian, with what to do. The cause is for the log. */
  readonly text: string;
}

/** Everything that can keep a question from a complete answer. The keys are what receipts and logs name. */
export const FAILURES = {
  // The question, as the bot sees it
  message_malformed: { reason: 'refused', text: 'Вопрос не удалось прочитать: обновите страницу и задайте его снова.' },
  message_empty: { reason: 'refused', text: 'Вопрос пуст: напишите, что вы хотите узнать.' },
  message_too_long: { reason: 'refused', text: 'Вопрос слишком длинный: сократите его и отправьте снова.' },
  message_unprintable: { reason: 'refused', text: 'В вопросе есть непечатные знаки: уберите их и отправьте снова.' },
  user_name_invalid: { reason: 'refused', text: 'Имя не подходит: нужно от 1 до 64 печатных знаков.' },
  course_unknown: { reason: 'refused', text: 'Такого курса нет: выберите курс из списка.' },
  message_id_reused: { reason: 'refused', text: 'Под этим номером уже задан другой вопрос: отправьте его снова.' },
  busy: { reason: 'refused', text: 'Предыдущий ответ ещё не закончен: дождитесь его или остановите.' },
  rate_limited: { reason: 'refused', text: 'Слишком много вопросов подряд: подождите несколько секунд.' },
  restarting: { reason: 'error', text: 'Сервис перезапускается: задайте вопрос снова через минуту.' },
  reader_left: { reason: 'aborted', text: 'Ответ остановлен.' },
  // The API refused it
  api_rejected: { reason: 'refused', text: 'Сервис не принял этот вопрос: измените его и отправьте снова.' },
  api_overloaded: { reason: 'refused', text: 'Сейчас спрашивают слишком многие: попробуйте через минуту.' },
  address_busy: { reason: 'refused', text: 'С вашего адреса уже задано несколько вопросов: дождитесь ответов на них.' },
  // The API failed before the first word
  api_unreachable: { reason: 'error', text: 'Сервис ответов недоступен: попробуйте через минуту.' },
  api_unavailable: { reason: 'error', text: 'Сервис ответов сейчас не может ответить: попробуйте через минуту.' },
  knowledge_unavailable: { reason: 'error', text: 'База знаний сейчас недоступна: попробуйте через минуту.' },
  api_timeout: { reason: 'error', text: 'Сервис слишком долго не начинал отвечать: попробуйте ещё раз.' },
  api_key_rejected: {
    reason: 'error',
    text: 'Чат неверно настроен (ключ сервиса не принят): сообщите администратору.',
  },
  api_mismatch: { reason: 'error', text: 'Чат неверно настроен (сервис отвечает не так): сообщите администратору.' },
  api_failed: { reason: 'error', text: 'В сервисе ответов произошла ошибка: попробуйте ещё раз.' },
  // The answer broke
  answer_empty: { reason: 'error', text: 'Сервис не дал ответа: попробуйте спросить иначе.' },
  answer_truncated: { reason: 'error', text: 'Ответ оборвался: показанный текст может быть неполным.' },
  answer_stalled: { reason: 'error', text: 'Ответ остановился и не продолжился: показанный текст не полон.' },
  answer_too_long: {
    reason: 'error',
    text: 'Ответ вышел слишком длинным и был прерван: спросите о чём-то более узком.',
  },
  answer_deadline: { reason: 'error', text: 'Ответ занял слишком много времени и был прерван.' },
  internal: { reason: 'error', text: 'В чате произошла ошибка: попробуйте ещё раз.' },
} as const satisfies Record<string, FailureEntry>;

export type FailureCode = keyof typeof FAILURES;

/** A question will have no complete answer. `cause` and `detail` are for the log; the reader gets the code's sentence. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly reason: Exclude<FinishReason, 'complete'>;
  readonly text: string;

  constructor(
    readonly code: FailureCode,
    /** What may be logged about it: statuses, codes, lengths; never a text, a name or a key. */
    readonly detail: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(code, options);
    this.reason = FAILURES[code].reason;
    this.text = FAILURES[code].text;
  }
}
