/**
 * The part of a list that `RAGDOCK_PART=i/n` asks for, i from 1 to n; all of it where nothing is asked for. The parts
 * follow each other and are about as long, and together they are the list.
 *
 * @throws for another value
 */
export function partOf<T>(all: readonly T[], asked = process.env.RAGDOCK_PART): readonly T[] {
  if (!asked) return all;
  const [, part = 0, parts = 0] = (/^([1-9]\d*)\/([1-9]\d*)$/.exec(asked) ?? []).map(Number);
  if (part < 1 || part > parts) throw new Error(`RAGDOCK_PART=${asked} is no part such as 1/3`);
  const edge = (index: number) => Math.round((index * all.length) / parts);
  return all.slice(edge(part - 1), edge(part));
}
