import { forgetStatement, type Statement } from './statements.js';

/** Exchanges that one statement deletes at most: a small part of what a server does within its longest statement. */
const STEP = 200;

/** The row that `forgetStatement` gives. */
export interface Forgotten {
  readonly exchanges: string;
}

/**
 * Removes the exchanges of a user, step by step, and gives their number. What a step removed stays removed when a later
 * one fails, so that whoever asks again goes on from there.
 *
 * @param ask runs a statement and gives its rows; what it rejects with goes on
 */
export async function forgetUser(
  ask: (statement: Statement) => Promise<readonly Forgotten[]>,
  userName: string,
): Promise<number> {
  let exchanges = 0;
  for (;;) {
    const [row] = await ask(forgetStatement(userName, STEP));
    const gone = Number(row?.exchanges ?? 0);
    if (gone === 0) return exchanges;
    exchanges += gone;
  }
}
