import type { Timers } from "./clock.js";
import type { Requests } from "./link.js";

/** How to ask through a session, and what it waits by. */
interface Inside {
  readonly requests: Requests;
  readonly timers: Timers;
}

const insides = new WeakMap<object, Inside>();

/** Remembers how to ask through a session, for this package alone: its users see no types of the library below. */
export function keepInside(session: object, inside: Inside): void {
  insides.set(session, inside);
}

/** What {@link keepInside} knows of a session. */
export function insideOf(session: object): Inside {
  const inside = insides.get(session);
  if (!inside) throw new TypeError("a session that connectIbkr did not make");
  return inside;
}
