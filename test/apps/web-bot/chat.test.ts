import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { FAILURES } from '../../../src/apps/web-bot/failures.js';
import { question, startBot, Visitor, WAIT } from './harness.js';
import { begin, EXCHANGE_ID, KEY, SOURCES } from './scripted-api.js';

describe('an answer', () => {
  test.each([['websocket'], ['polling']])('streams over %s while it is being made', async (transport) => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url, [transport]);
    const asked = question();
    api.script = async (response) => {
      begin(response);
      response.write('Осмос – ');
      await visitor.sees(asked.message_id, 'Осмос – ');
      response.write('это диффузия ');
      await visitor.sees(asked.message_id, 'это диффузия ');
      response.end('воды [1].');
    };

    const { receipt, text, finished } = await visitor.ask(asked);

    expect(receipt).toEqual({ ok: true });
    expect(text).toBe('Осмос – это диффузия воды [1].');
    expect(finished).toEqual({
      message_id: asked.message_id,
      ok: true,
      reason: 'complete',
      exchange_id: EXCHANGE_ID,
      sources: SOURCES,
    });
    const events = visitor.told.map(({ event, data }) => (event === 'typing' ? `typing ${data}` : event));
    expect(events[0]).toBe('typing true');
    expect(events.slice(-2)).toEqual(['typing false', 'finished']);
    expect(events.slice(1, -2).length).toBeGreaterThanOrEqual(3);
    expect(new Set(events.slice(1, -2))).toEqual(new Set(['chunk']));
  });

  test('is asked for with the key, the reader’s address and the three fields of the API', async () => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url);
    const asked = question({ message: '  Что такое осмос?\n', course: 'биология', user_name: 'Анна' });
    await visitor.ask(asked);

    expect(api.asked).toHaveLength(1);
    expect(api.asked[0]?.body).toEqual({ message: 'Что такое осмос?', user_name: 'Анна', course: 'биология' });
    expect(api.asked[0]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'x-ragdock-client': '127.0.0.1',
      'x-request-id': asked.message_id,
    });
  });

  test('brings along what was said before on this socket about the course, and nothing else', async () => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url);
    api.script = (response) => {
      begin(response);
      response.end('Диффузия [1].');
    };
    await visitor.ask(question({ message: 'Что такое осмос?', course: 'биология' }));
    api.script = (response) => {
      begin(response);
      response.write('Оборвано');
      setTimeout(() => response.destroy(), 20);
    };
    await visitor.ask(question({ message: 'А мембрана?', course: 'биология' }));
    api.script = (response) => {
      begin(response);
      response.end('Да.');
    };
    await visitor.ask(question({ message: 'Что такое RAG?', course: 'demo' }));
    await visitor.ask(question({ message: 'А зачем он?', course: 'биология' }));
    const stranger = await Visitor.connect(url);
    await stranger.ask(question({ message: 'А зачем он?', course: 'биология' }));

    expect(api.asked.map(({ body }) => (body as { history?: unknown }).history)).toEqual([
      undefined,
      [
        { role: 'user', content: 'Что такое осмос?' },
        { role: 'assistant', content: 'Диффузия [1].' },
      ],
      undefined,
      [
        { role: 'user', content: 'Что такое осмос?' },
        { role: 'assistant', content: 'Диффузия [1].' },
      ],
      undefined,
    ]);
  });

  test('comes in no more chunks than its time and its length allow', async () => {
    const [coalesceMs, coalesceCharacters] = [40, 256];
    const { api, url } = await startBot({ coalesceMs, coalesceCharacters });
    const visitor = await Visitor.connect(url);
    const tokens = Array.from({ length: 100 }, (_, index) => `т${index} `);
    api.script = async (response) => {
      begin(response);
      for (const token of tokens) {
        response.write(token);
        await delay(2);
      }
      response.end();
    };
    const asked = question();
    const began = performance.now();
    const { text } = await visitor.ask(asked);
    const elapsed = performance.now() - began;

    expect(text).toBe(tokens.join(''));
    const allowed = 2 + elapsed / coalesceMs + text.length / coalesceCharacters;
    expect(visitor.chunks(asked.message_id).length).toBeLessThanOrEqual(allowed);
  });

  test('survives a cut at every byte of a letter', async () => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url);
    const letters = Buffer.from('жё–🦔ь');
    for (let cut = 1; cut < letters.length; cut++) {
      const asked = question();
      api.script = async (response) => {
        begin(response);
        // What has been seen was decoded, and so was, or is being kept, the part of a letter behind it.
        response.write(Buffer.concat([Buffer.from('a'), letters.subarray(0, cut)]));
        await visitor.sees(asked.message_id, 'a');
        response.end(letters.subarray(cut));
      };
      expect((await visitor.ask(asked)).text, `cut after byte ${cut}`).toBe(`a${letters}`);
    }
  });
});

describe('sources', () => {
  test('are asked for again while the API has not saved the exchange', async () => {
    const { api, url } = await startBot();
    api.exchangeStatuses = [404, 404, 200];
    const { finished } = await (await Visitor.connect(url)).ask(question());
    expect(finished).toMatchObject({ ok: true, sources: SOURCES });
    expect(api.exchangeRequests).toEqual([EXCHANGE_ID, EXCHANGE_ID, EXCHANGE_ID]);
  });

  test('are null, and the answer complete, when they cannot be had', async () => {
    const { api, url } = await startBot({ sourcesMs: 100 });
    api.exchangeStatuses = [404];
    const { finished } = await (await Visitor.connect(url)).ask(question());
    expect(finished).toMatchObject({ ok: true, reason: 'complete', sources: null });
  });

  test('are none, without asking, when the API counts none', async () => {
    const { api, url } = await startBot();
    api.script = (response) => {
      begin(response, { 'x-rag-sources': '0' });
      response.end('Об этом в материалах ничего нет.');
    };
    const { finished } = await (await Visitor.connect(url)).ask(question());
    expect(finished).toMatchObject({ ok: true, sources: [] });
    expect(api.exchangeRequests).toEqual([]);
  });

  test.each([
    ['retrieval', true],
    ['history', false],
  ])('with %s degraded, the reader is told: %s', async (part, told) => {
    const { api, url } = await startBot();
    api.script = (response) => {
      begin(response, { 'x-rag-degraded': part });
      response.end('Ответ');
    };
    const { finished } = await (await Visitor.connect(url)).ask(question());
    expect(finished.ok).toBe(true);
    expect(finished.text !== undefined).toBe(told);
  });
});

describe('one question at a time', () => {
  test('a second one is refused as busy, and the first goes on', async () => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url);
    const [first, second] = [question(), question()];
    let release = () => {};
    api.script = async (response) => {
      begin(response);
      response.write('Начало');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      response.end(' и конец');
    };
    await visitor.send(first);
    await visitor.sees(first.message_id, 'Начало');

    expect(await visitor.send(second)).toEqual({ ok: false, code: 'busy', text: FAILURES.busy.text });
    expect(await visitor.finished(second.message_id)).toMatchObject({ ok: false, reason: 'refused' });
    expect(api.asked).toHaveLength(1);

    release();
    expect(await visitor.finished(first.message_id)).toMatchObject({ ok: true });
    expect(visitor.text(first.message_id)).toBe('Начало и конец');
    expect(await visitor.send(question())).toEqual({ ok: true });
  });

  test('questions come at a limited rate', async () => {
    const { url } = await startBot({ questionBurst: 2, questionRefillMs: 300 });
    const visitor = await Visitor.connect(url);
    await visitor.ask(question());
    await visitor.ask(question());
    expect(await visitor.send(question())).toMatchObject({ ok: false, code: 'rate_limited' });
    await vi.waitFor(async () => expect(await visitor.send(question())).toEqual({ ok: true }), WAIT);
  });
});

describe('the same question again', () => {
  test('is one question for the API, and tells the answer from the beginning', async () => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url);
    const asked = question();
    api.script = async (response) => {
      begin(response);
      response.write('Раз, ');
      await visitor.sees(asked.message_id, 'Раз, ');
      await visitor.send(asked);
      await vi.waitFor(
        () => expect(visitor.chunks(asked.message_id).filter(({ seq }) => seq === 0)).toHaveLength(2),
        WAIT,
      );
      response.end('два');
    };
    const inFlight = await visitor.ask(asked);
    visitor.told.length = 0;
    const afterwards = await visitor.ask(asked);

    expect(inFlight.text).toBe('Раз, два');
    expect(afterwards).toEqual({ ...inFlight, receipt: { ok: true } });
    expect(visitor.chunks(asked.message_id)).toHaveLength(1);
    expect(api.asked).toHaveLength(1);
  });

  test('another question under its id is refused, and the first is not touched', async () => {
    const { api, url } = await startBot();
    const visitor = await Visitor.connect(url);
    const asked = question();
    api.script = async (response) => {
      begin(response);
      response.write('Начало');
      const other = { ...asked, message: 'Другой вопрос' };
      expect(await visitor.send(other)).toMatchObject({ ok: false, code: 'message_id_reused' });
      response.end(' и конец');
    };
    expect(await visitor.ask(asked)).toMatchObject({ text: 'Начало и конец', finished: { ok: true } });
    expect(api.asked).toHaveLength(1);
  });

  test('from a new connection within the grace continues the answer there', async () => {
    const { api, url } = await startBot({ graceMs: 10_000 });
    const lost = await Visitor.connect(url);
    const asked = question();
    let release = () => {};
    api.script = async (response) => {
      begin(response);
      response.write('До обрыва, ');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      response.end('после обрыва');
    };
    await lost.send(asked);
    await lost.sees(asked.message_id, 'До обрыва');
    lost.socket.io.engine.close();

    const back = await Visitor.connect(url);
    expect(await back.send(asked)).toEqual({ ok: true });
    await back.sees(asked.message_id, 'До обрыва');
    release();
    expect(await back.finished(asked.message_id)).toMatchObject({ ok: true, reason: 'complete' });
    expect(back.text(asked.message_id)).toBe('До обрыва, после обрыва');
    expect(api.asked).toHaveLength(1);
  });

  test('is a new question once its answer is forgotten', async () => {
    const { api, url } = await startBot({ retentionMs: 50 });
    const visitor = await Visitor.connect(url);
    const asked = question();
    await visitor.ask(asked);
    await vi.waitFor(async () => {
      await visitor.send(asked);
      expect(api.asked).toHaveLength(2);
    }, WAIT);
  });
});

describe('a reader who leaves', () => {
  const endless = async (response: Parameters<typeof begin>[0]) => {
    begin(response);
    response.write('Ответ, который не кончается');
  };

  test('on purpose stops the API at once', async () => {
    const { api, url, logs } = await startBot({ graceMs: 60_000 });
    api.script = endless;
    const visitor = await Visitor.connect(url);
    const asked = question();
    await visitor.send(asked);
    await visitor.sees(asked.message_id, 'Ответ');
    visitor.socket.disconnect();

    await api.asked[0]?.aborted;
    await vi.waitFor(() => expect(logs()).toContain('"code":"reader_left"'), WAIT);
    expect(logs()).toContain('"reason":"aborted"');
  });

  test('before the first word stops the API too', async () => {
    const { api, url } = await startBot();
    api.script = () => {};
    const visitor = await Visitor.connect(url);
    await visitor.send(question());
    await vi.waitFor(() => expect(api.asked).toHaveLength(1), WAIT);
    visitor.socket.disconnect();
    await api.asked[0]?.aborted;
  });

  test('by a lost connection stops the API after the grace, and is told so when back too late', async () => {
    const graceMs = 300;
    const { api, url } = await startBot({ graceMs });
    api.script = endless;
    const visitor = await Visitor.connect(url);
    const asked = question();
    await visitor.send(asked);
    await visitor.sees(asked.message_id, 'Ответ');
    const lostAt = performance.now();
    visitor.socket.io.engine.close();

    const abortedAt = await api.asked[0]?.aborted;
    expect((abortedAt ?? 0) - lostAt).toBeGreaterThanOrEqual(graceMs - 5);
    const { text, finished } = await (await Visitor.connect(url)).ask(asked);
    expect(text).toBe('Ответ, который не кончается');
    expect(finished).toMatchObject({ ok: false, reason: 'aborted', exchange_id: EXCHANGE_ID });
  });
});

describe('a bot that is told to stop', () => {
  test('does not wait for a browser that connected and asked nothing', async () => {
    const { app, url } = await startBot();
    const silent = connect(Number(new URL(url).port), '127.0.0.1');
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    await app.close();
    await closed;
  });

  test('lets the answer in flight end, and takes no new question', async () => {
    const { app, api, url } = await startBot();
    const [visitor, late] = [await Visitor.connect(url), await Visitor.connect(url)];
    const asked = question();
    let closed: Promise<void> | undefined;
    api.script = async (response) => {
      begin(response);
      response.write('Начало');
      closed = app.close();
      await vi.waitFor(
        async () => expect(await late.send(question())).toMatchObject({ ok: false, code: 'restarting' }),
        WAIT,
      );
      response.end(' и конец');
    };
    const { text, finished } = await visitor.ask(asked);
    expect(text).toBe('Начало и конец');
    expect(finished.ok).toBe(true);
    await closed;
    await vi.waitFor(() => expect(visitor.socket.connected).toBe(false), WAIT);
  });

  test('cuts an answer that takes too long, and says so', async () => {
    const { app, api, url } = await startBot({ drainMs: 100 });
    const visitor = await Visitor.connect(url);
    api.script = (response) => {
      begin(response);
      response.write('Начало');
    };
    const asked = question();
    await visitor.send(asked);
    await visitor.sees(asked.message_id, 'Начало');
    await app.close();
    expect(await visitor.finished(asked.message_id)).toMatchObject({
      ok: false,
      reason: 'error',
      text: FAILURES.restarting.text,
    });
    await api.asked[0]?.aborted;
  });
});
