/**
 * How many passages a search asks of a collection beyond its limit. Which of several with one score come first is the
 * server's to say, and may be others the next time; and copies of one text would each take a place. So the last places
 * are given here, by score and id, after copies were put aside: among as many ties and copies as this.
 */
const HEADROOM = 16;

/** How many passages are asked for where `limit` of them count. */
export function withHeadroom(limit: number): number {
  return limit + HEADROOM;
}
