/** How long a message's worth of work should take, in milliseconds: a hundred times what the message costs. */
const worthAMessageMs = 200;
const mostUnits = 256;
/** Shares every thread should still get of what is left, so that none idles while another has much to do. */
const sharesLeft = 3;

/**
 * How many units the next message should carry: short ones travel together, long ones alone, and towards the end of a
 * run messages get smaller, so that all threads finish at about the same time.
 *
 * @param left - units without a worker, at least 1
 * @param threads - that listen, at least 1
 * @param unitMs - what a unit takes; undefined before the first came back, when one is tried
 * @returns from 1 to `left`
 */
export function unitsAMessage(left: number, threads: number, unitMs: number | undefined): number {
  if (unitMs === undefined) return 1;
  const worth = Math.floor(worthAMessageMs / Math.max(unitMs, worthAMessageMs / mostUnits));
  const fair = Math.ceil(left / (threads * sharesLeft));
  return Math.max(1, Math.min(worth, fair, left));
}

/** Messages that should wait or be worked on, so that no thread has to wait for the submitter. */
export function messagesAhead(threads: number): number {
  return Math.max(8, threads * 4);
}

/** Groups of at most a size, of neighbours in order: units of the same window share what a worker remembers of it. */
export function takeNeighbours(places: readonly number[], count: number): readonly number[] {
  let end = 1;
  while (end < count && end < places.length && places[end] === places[end - 1]! + 1) end++;
  return places.slice(0, end);
}
