/** Ask again and again until `condition` gives something; fails with what it gave last. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  seconds = 120,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const result = await condition();
      if (result !== undefined && result !== false) return result;
      last = result;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(
    `not within ${seconds} s: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}
