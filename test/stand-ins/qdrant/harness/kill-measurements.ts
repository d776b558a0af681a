import { call } from './http.js';
import type { Recorded } from './recording.js';

const COURSES = '/collections/courses';
/** Points per write in the measurements that write in batches. */
const BATCH = 200;

interface Round {
  readonly expected: number;
  readonly count_after_restart?: number;
  readonly count_right_after_restart?: number;
}

/** Measurements of what is left after `kill -9`, which are done again: acknowledged writes must be there. */
export function isKillMeasurement({ name }: Recorded): boolean {
  return ['kill9_after_wait_true', 'kill9_after_wait_false', 'kill9_during_writes'].includes(name);
}

export async function repeatKills(
  recorded: Recorded,
  port: () => number,
  kill: () => Promise<void>,
): Promise<string | undefined> {
  if (recorded.name === 'kill9_during_writes') {
    const { acked_wait_true: writes } = recorded.response as { acked_wait_true: number };
    const before = await count(port());
    for (let index = 0; index < writes; index++) {
      await write(port(), before + index, 1, true);
    }
    await kill();
    const after = await count(port());
    return after === before + writes ? undefined : `${before + writes} acknowledged, ${after} after the restart`;
  }
  const wait = recorded.name === 'kill9_after_wait_true';
  for (const round of recorded.response as Round[]) {
    await write(port(), round.expected - BATCH, BATCH, wait);
    await kill();
    const after = await count(port());
    if (after !== (round.count_after_restart ?? round.count_right_after_restart)) {
      return `${round.expected} acknowledged, ${after} after the restart`;
    }
  }
  return undefined;
}

async function write(port: number, firstId: number, points: number, wait: boolean): Promise<void> {
  const { status, body } = await call(port, 'PUT', `${COURSES}/points?wait=${wait}`, {
    points: Array.from({ length: points }, (_, index) => ({
      id: firstId + index,
      vector: { dense: Array.from({ length: 8 }, (__, axis) => ((firstId + index) % (axis + 3)) + 1) },
      payload: { course: `c${index % 5}` },
    })),
  });
  if (status !== 200) {
    throw new Error(`the write was answered ${status} ${JSON.stringify(body)}`);
  }
}

async function count(port: number): Promise<number> {
  const { body } = await call(port, 'POST', `${COURSES}/points/count`, { exact: true });
  return (body as { result: { count: number } }).result.count;
}
