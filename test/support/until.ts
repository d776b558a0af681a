import { setTimeout as delay } from 'node:timers/promises';

/** Waits until a condition holds, looking every few milliseconds. Fails with its name when it does not in time. */
export async function until(
  name: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 5000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${name}: not within ${deadlineMs} ms`);
    await delay(5);
  }
}
