import type { LogLine } from './lines.js';

/** Lines of several logs, each in the order of its times, as one in that order. Holds one line of each. */
export async function* mergeByTime(logs: readonly AsyncIterator<LogLine>[]): AsyncGenerator<LogLine> {
  try {
    const heads = await Promise.all(logs.map((log) => log.next()));
    for (;;) {
      let first: number | undefined;
      let line: LogLine | undefined;
      for (const [index, head] of heads.entries()) {
        if (head.done || (line && line.time <= head.value.time)) continue;
        first = index;
        line = head.value;
      }
      if (first === undefined || !line) return;
      yield line;
      heads[first] = (await logs[first]?.next()) ?? { done: true, value: undefined };
    }
  } finally {
    await Promise.all(logs.map((log) => log.return?.()));
  }
}
